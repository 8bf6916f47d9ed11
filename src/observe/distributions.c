// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/distributions.h"

#include <math.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "stz/law.h"

static const double WIDTHS[STZ_DISTRIBUTIONS] = {0.02, 0.05 * STZ_GPA, 0.02};

// The largest |tau| over the modes; with the normal coefficient `plane` and `press` of |tau| + plane sigma_n + press.
static double largest_driving(const stz_modes *modes, const double stress[5], int rotation, double plane,
                              double press) {
  const double *turn = modes->turn[rotation];
  double turned[5], largest = -INFINITY;
  for (int c = 0; c < 5; c++) {
    turned[c] = 0.0;
    for (int k = 0; k < 5; k++) turned[c] += turn[5 * c + k] * stress[k];
  }
  for (int m = 0; m < modes->count; m++) {
    double tau = 0.0, normal = 0.0;
    for (int c = 0; c < 5; c++) tau += modes->p[m][c] * turned[c];
    for (int c = 0; c < 5; c++) normal += modes->normal[m][c] * turned[c];
    largest = fmax(largest, fabs(tau) + plane * normal);
  }
  return largest + press;
}

double stz_largest_resolved(const stz_modes *modes, const double stress[5], int rotation) {
  return largest_driving(modes, stress, rotation, 0.0, 0.0);
}

stz_err stz_histogram_count(const stz_grid *grid, const float *structure, const double *values, double width,
                            stz_histogram *histogram) {
  const int64_t sites = stz_grid_local_sites(grid);
  const MPI_Comm comm = stz_grid_comm(grid);
  int last = 0;
  for (int64_t i = 0; i < sites; i++) {
    const int bin = (int)(values[i] / width);
    if (bin > last) last = bin;
  }
  MPI_Allreduce(MPI_IN_PLACE, &last, 1, MPI_INT, MPI_MAX, comm);
  *histogram = (stz_histogram){.width = width, .bins = last + 1};
  STZ_TRY(stz_agree(comm, STZ_NEW(histogram->counts, STZ_DOMAINS * histogram->bins)));
  for (int64_t i = 0; i < sites; i++) {
    const int domain = structure[i] > 0.0f ? STZ_DOMAIN_RICH : STZ_DOMAIN_POOR;
    histogram->counts[domain * histogram->bins + (int)(values[i] / width)] += 1.0;
  }
  // Sums of whole numbers are exact, whatever their order.
  MPI_Allreduce(MPI_IN_PLACE, histogram->counts, STZ_DOMAINS * histogram->bins, MPI_DOUBLE, MPI_SUM, comm);
  return STZ_OK;
}

// What a value per site needs, of which several are worked out at the same time.
typedef struct valuing {
  const stz_glass *glass;
  stz_distribution_kind kind;
  const stz_kmc *kmc;
  const double *mean; // tensor
  double pressure;    // a third of its trace
  const float *stress[5];
  double *values;
} valuing;

static double value_of(const valuing *v, int64_t i) {
  const double barrier = (double)stz_glass_barrier(v->glass)[i];
  double stress[5];
  if (v->kind == STZ_DISTRIBUTION_BARRIER) return barrier;
  stz_kmc_load_at(v->kmc, stz_grid_first_site(stz_glass_grid(v->glass)) + i, v->mean, stress);
  for (int c = 0; c < 5; c++) stress[c] += (double)v->stress[c][i];
  const stz_modes *modes = stz_glass_modes(v->glass);
  const stz_stz_params *stz = stz_glass_stz(v->glass);
  const int rotation = stz_glass_rotation(v->glass)[i];
  if (v->kind == STZ_DISTRIBUTION_RESOLVED) return stz_largest_resolved(modes, stress, rotation);
  const double alpha = stz->normal_coefficient, plane = stz->normal_stress == STZ_NORMAL_STRESS_PLANE ? alpha : 0.0;
  return stz_barrier_under(stz, barrier, largest_driving(modes, stress, rotation, plane, alpha * v->pressure));
}

static void value_sites(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const valuing *v = context;
  for (int64_t i = first; i < end; i++) v->values[i] = value_of(v, i);
}

stz_err stz_distributions_create(const stz_glass *glass, const stz_kmc *kmc, const double mean[6],
                                 stz_distributions **distributions) {
  const stz_grid *grid = stz_glass_grid(glass);
  stz_distributions *d = NULL;
  valuing v = {.glass = glass, .kmc = kmc, .mean = mean};
  stz_err err = STZ_NEW(d, 1);
  if (err == STZ_OK) err = STZ_NEW(v.values, stz_grid_local_sites(grid));
  err = stz_agree(stz_grid_comm(grid), err);
  v.pressure = (mean[STZ_XX] + mean[STZ_YY] + mean[STZ_ZZ]) / 3.0;
  for (int c = 0; c < 5; c++) v.stress[c] = stz_kmc_stress(kmc, c);
  for (int kind = 0; kind < STZ_DISTRIBUTIONS && err == STZ_OK; kind++) {
    v.kind = (stz_distribution_kind)kind;
    err = stz_look_run(stz_grid_team(grid), stz_grid_local_sites(grid), 4096, value_sites, &v);
    err = stz_agree(stz_grid_comm(grid), err);
    if (err != STZ_OK) break;
    err = stz_histogram_count(grid, stz_glass_structure(glass), v.values, WIDTHS[kind], &d->histogram[kind]);
  }
  stz_free(v.values);
  if (err != STZ_OK) stz_distributions_destroy(&d);
  *distributions = d;
  return err;
}

void stz_distributions_destroy(stz_distributions **distributions) {
  if (!*distributions) return;
  for (int kind = 0; kind < STZ_DISTRIBUTIONS; kind++) stz_free((*distributions)->histogram[kind].counts);
  stz_free(*distributions);
  *distributions = NULL;
}
