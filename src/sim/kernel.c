// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/kernel.h"

#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "sim/sample.h"
#include "sim/sim.h"

// Local index of a site, negative on the ranks that do not own it.
static int64_t local_site(const stz_grid *grid, const int at[3]) {
  return stz_grid_local(grid, stz_grid_site(grid, at[0], at[1], at[2]));
}

static double dress_of(const stz_sample *s, const int at[3]) {
  return s->contrast ? (double)stz_contrast_dress(s->contrast, stz_grid_site(s->grid, at[0], at[1], at[2])) : 1.0;
}

// `work` holds 5 strain and 6 stress components, one after the other. The trace goes to all normal components.
static stz_err add_trace(const stz_sample *s, const stz_kernel_request *request, stz_spectral *spectral, double *work,
                         double (*stress)[6]) {
  const size_t sites = (size_t)stz_grid_local_sites(s->grid);
  const int64_t event = local_site(s->grid, request->event);
  const double *strain[5];
  double *found[6], deviator[5];
  memset(work, 0, 5 * sites * sizeof *work);
  stz_dev_from_sym(request->strain, deviator);
  for (size_t c = 0; c < 5; c++) {
    strain[c] = work + c * sites;
    if (event >= 0) work[c * sites + (size_t)event] = dress_of(s, request->event) * deviator[c];
  }
  for (size_t c = 0; c < 6; c++) found[c] = work + (5 + c) * sites;
  STZ_TRY(stz_elastic_stress(s->elastic, spectral, strain, found));
  for (int i = 0; i < request->count; i++) {
    const int64_t at = local_site(s->grid, request->at[i]);
    for (int v = 0; v < 3 && at >= 0; v++) stress[i][v] += dress_of(s, request->at[i]) * found[5][at] / sqrt(3.0);
  }
  return STZ_OK;
}

static stz_err find_trace(const stz_sample *s, const stz_kernel_request *request, double (*stress)[6]) {
  stz_spectral *spectral = NULL;
  double *work = NULL;
  STZ_TRY(stz_spectral_create(s->grid, &spectral));
  stz_err err = stz_agree(stz_grid_comm(s->grid), STZ_NEW(work, 11 * stz_grid_local_sites(s->grid)));
  if (err == STZ_OK) err = add_trace(s, request, spectral, work, stress);
  stz_free(work);
  stz_spectral_destroy(&spectral);
  return err;
}

// The engine is made ready without time for an event, has the strain, and takes it up.
static stz_err find_deviator(const stz_sample *s, double temperature_K, const stz_kernel_request *request,
                             double (*stress)[6]) {
  static const double NO_TIME = 1e-300; // s
  const stz_mean_stress mean = {.temperature_K = temperature_K};
  const int *e = request->event;
  stz_event event;
  bool found;
  double total, plastic_rate;
  STZ_TRY(stz_kmc_next(s->kmc, &mean, NO_TIME, &event, &found));
  stz_kmc_strain(s->kmc, stz_grid_site(s->grid, e[0], e[1], e[2]), request->strain);
  stz_kmc_rates(s->kmc, &mean, &total, &plastic_rate);
  for (int i = 0; i < request->count; i++) {
    const int64_t at = local_site(s->grid, request->at[i]);
    float deviator[5];
    double wide[5];
    if (at < 0) continue;
    stz_kmc_site_stress(s->kmc, at, deviator);
    for (int c = 0; c < 5; c++) wide[c] = (double)deviator[c];
    stz_sym_from_dev(wide, stress[i]);
  }
  return STZ_OK;
}

// The exact field of one event, as it stands when the stress of all sites has been found anew.
static stz_err find_exact(const stz_sample *s, const stz_kernel_request *request, double (*stress)[6]) {
  const size_t sites = (size_t)stz_grid_sites(s->grid);
  double *work = NULL, *found[6], deviator[5];
  STZ_TRY(STZ_NEW(work, 6 * sites));
  stz_dev_from_sym(request->strain, deviator);
  for (int c = 0; c < 6; c++) found[c] = work + (size_t)c * sites;
  stz_contrast_event(s->contrast, local_site(s->grid, request->event), deviator);
  const stz_err err = stz_contrast_whole(s->contrast, found);
  for (int i = 0; i < request->count && err == STZ_OK; i++) {
    const int64_t at = local_site(s->grid, request->at[i]);
    double here[5];
    for (int c = 0; c < 5; c++) here[c] = found[c][at];
    stz_sym_from_dev(here, stress[i]);
    for (int v = 0; v < 3; v++) stress[i][v] += found[5][at] / sqrt(3.0);
  }
  stz_free(work);
  return err;
}

// One kernel holds in the whole sample: a uniform one without stress, quickly made, has it too. Where moduli vary, the
// structure counts.
static stz_config plain_sample(const stz_config *config) {
  stz_config plain = *config;
  plain.stz.quenched_strain = 0.0;
  if (config->elastic.contrast > 0.0) return plain;
  plain.micro.type = STZ_MICRO_UNIFORM;
  plain.micro.control = STZ_CONTROL_NONE;
  return plain;
}

static stz_err find_stress(MPI_Comm comm, const stz_config *config, const stz_kernel_request *request,
                           double (*stress)[6]) {
  const stz_config plain = plain_sample(config);
  stz_sample sample;
  memset(stress, 0, (size_t)request->count * sizeof *stress);
  STZ_TRY(stz_sim_check_ranks(config, stz_comm_size(comm)));
  STZ_TRY(stz_sample_create(comm, &plain, NULL, NULL, &sample));
  const bool exact = stz_contrast_exact(sample.contrast);
  stz_err err = STZ_OK;
  const double *stretch = request->stretch;
  if (stretch[0] != 0.0 || stretch[1] != 0.0 || stretch[2] != 0.0) err = stz_kmc_stretch(sample.kmc, stretch);
  if (err == STZ_OK && exact) err = find_exact(&sample, request, stress);
  if (err == STZ_OK && !exact) err = find_deviator(&sample, config->protocol[0].temperature_K, request, stress);
  if (err == STZ_OK && !exact) err = find_trace(&sample, request, stress);
  stz_sample_destroy(&sample);
  if (err != STZ_OK) return err;
  MPI_Allreduce(MPI_IN_PLACE, stress, 6 * request->count, MPI_DOUBLE, MPI_SUM, comm);
  for (int i = 0; i < 6 * request->count; i++) stress[0][i] /= STZ_GPA;
  return STZ_OK;
}

stz_err stz_sim_kernel(MPI_Comm comm, const stz_config *config, const stz_kernel_request *request,
                       double (*stress)[6]) {
  if (stz_engine_needs_of(config->kmc.engine).ranks != 1) return find_stress(comm, config, request, stress);
  stz_err err = STZ_OK;
  if (stz_comm_rank(comm) == 0) err = find_stress(MPI_COMM_SELF, config, request, stress);
  return stz_agree(comm, err);
}
