// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/micro.h"

#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/units.h"
#include "micro/radial.h"
#include "micro/shuffle.h"
#include "micro/topology.h"
#include "micro/waves.h"

struct stz_micro {
  const stz_grid *grid;
  int64_t sites; // local
  bool uniform;
  double *g, *composition;
  double *f, *interface; // NULL for uniform
};

// xi with P(normal variable > xi) = fraction.
static double cut_level(double fraction) {
  double low = -8.0, high = 8.0;
  while (high - low > 1e-12) {
    const double middle = 0.5 * (low + high);
    if (1.0 - stz_normal_cdf(middle) > fraction)
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}

static double mean_square(const stz_micro *m, const double *values, double *scratch) {
  for (int64_t i = 0; i < m->sites; i++) scratch[i] = values[i] * values[i];
  return stz_grid_sum(m->grid, scratch) / (double)stz_grid_sites(m->grid);
}

// f and |grad f| from the spectrum, which stays. The shell lies below the Nyquist wave number, so that i k F is the
// gradient exactly. `work`: as long as the spectrum.
static void fields_of(const stz_micro *m, stz_spectral *spectral, const double complex *spectrum, double complex *work,
                      double *component) {
  const size_t modes = stz_spectral_modes(spectral);
  memcpy(work, spectrum, modes * sizeof *work);
  stz_spectral_inverse(spectral, work, m->f);
  for (int axis = 0; axis < 3; axis++) {
    for (size_t i = 0; i < modes; i++) {
      double k[3];
      stz_spectral_wave_vector(spectral, i, k);
      work[i] = CMPLX(-k[axis] * cimag(spectrum[i]), k[axis] * creal(spectrum[i]));
    }
    stz_spectral_inverse(spectral, work, component);
    for (int64_t i = 0; i < m->sites; i++) m->interface[i] += component[i] * component[i];
  }
  for (int64_t i = 0; i < m->sites; i++) m->interface[i] = sqrt(m->interface[i]);
}

// From f and |grad f| of any scale to the sample's fields. grad g = sharpness (1 - g^2) grad f, without the aliasing
// that a transform of g would bring.
static void make_profile(stz_micro *m, const stz_micro_params *params, double lambda, double *scratch) {
  const double rms = sqrt(mean_square(m, m->f, scratch));
  const bool cut = params->profile == STZ_PROFILE_CUT;
  const double level = cut ? cut_level(params->nickel_fraction) : 0.0;
  for (int64_t i = 0; i < m->sites; i++) {
    m->f[i] = m->f[i] / rms - level;
    const double smooth = stz_tanh(params->sharpness * m->f[i]);
    m->g[i] = !cut ? smooth : m->f[i] > 0.0 ? 1.0 : -1.0;
    m->interface[i] *= (1.0 - smooth * smooth) * lambda / (2.0 * STZ_PI * rms);
  }
  const double offset = cut ? stz_grid_sum(m->grid, m->g) / (double)stz_grid_sites(m->grid) : 0.0;
  for (int64_t i = 0; i < m->sites; i++) {
    m->composition[i] = fmin(fmax(params->nickel_fraction + params->nickel_amplitude * (m->g[i] - offset), 0.0), 1.0);
  }
}

static stz_err make_waves(stz_micro *m, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed) {
  double complex *spectrum = NULL, *work = NULL;
  double *scratch = NULL;
  stz_radial *radial = NULL;
  stz_err err = STZ_NEW(spectrum, stz_spectral_modes(spectral));
  if (err == STZ_OK) err = STZ_NEW(work, stz_spectral_modes(spectral));
  if (err == STZ_OK) err = STZ_NEW(scratch, m->sites);
  STZ_TRY_TO(clean, err, stz_agree(stz_grid_comm(m->grid), err));
  STZ_TRY_TO(clean, err, stz_waves_fill(m->grid, spectral, params, seed, spectrum));
  STZ_TRY_TO(clean, err, stz_radial_create(m->grid, spectral, spectrum, &radial));
  fields_of(m, spectral, spectrum, work, scratch);
  make_profile(m, params, stz_radial_length(radial), scratch);
  if (params->shuffled) {
    double *const fields[] = {m->f, m->g, m->composition, m->interface};
    err = stz_shuffle(m->grid, seed, 4, fields);
  }
clean:
  stz_radial_destroy(&radial);
  stz_free(scratch);
  stz_free(work);
  stz_free(spectrum);
  return err;
}

static stz_err allocate(stz_micro *m) {
  STZ_TRY(STZ_NEW(m->g, m->sites));
  STZ_TRY(STZ_NEW(m->composition, m->sites));
  if (m->uniform) return STZ_OK;
  STZ_TRY(STZ_NEW(m->f, m->sites));
  return STZ_NEW(m->interface, m->sites);
}

stz_err stz_micro_create(const stz_grid *grid, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                         stz_micro **micro) {
  stz_micro *m = NULL;
  stz_err err = STZ_NEW(m, 1);
  if (err == STZ_OK) {
    *m = (stz_micro){.grid = grid, .sites = stz_grid_local_sites(grid), .uniform = params->type == STZ_MICRO_UNIFORM};
    err = allocate(m);
  }
  STZ_TRY_TO(fail, err, stz_agree(stz_grid_comm(grid), err));
  if (m->uniform) {
    for (int64_t i = 0; i < m->sites; i++) m->composition[i] = params->nickel_fraction;
  } else {
    STZ_TRY_TO(fail, err, make_waves(m, spectral, params, seed));
  }
  *micro = m;
  return STZ_OK;
fail:
  stz_micro_destroy(&m);
  *micro = NULL;
  return err;
}

void stz_micro_destroy(stz_micro **micro) {
  stz_micro *m = *micro;
  if (!m) return;
  stz_free(m->g);
  stz_free(m->composition);
  stz_free(m->f);
  stz_free(m->interface);
  stz_free(m);
  *micro = NULL;
}

const double *stz_micro_g(const stz_micro *micro) { return micro->g; }
const double *stz_micro_composition(const stz_micro *micro) { return micro->composition; }
const double *stz_micro_interface(const stz_micro *micro) { return micro->interface; }

// Share of the sites with f > 0 (or the others) and the mean of g over them.
static void phase(const stz_micro *m, bool rich, double *scratch, double *share, double *mean) {
  for (int64_t i = 0; i < m->sites; i++) scratch[i] = (m->f[i] > 0.0) == rich;
  const double sites = stz_grid_sum(m->grid, scratch);
  for (int64_t i = 0; i < m->sites; i++) scratch[i] = (m->f[i] > 0.0) == rich ? m->g[i] : 0.0;
  *share = sites / (double)stz_grid_sites(m->grid);
  *mean = sites > 0.0 ? stz_grid_sum(m->grid, scratch) / sites : 0.0;
}

stz_err stz_micro_measure(const stz_micro *micro, stz_spectral *spectral, stz_micro_measures *measures) {
  const stz_grid *grid = micro->grid;
  *measures =
      (stz_micro_measures){.nickel_fraction = stz_grid_sum(grid, micro->composition) / (double)stz_grid_sites(grid)};
  if (micro->uniform) return STZ_OK;
  const int *n = stz_grid_cells(grid);
  const double longest = fmax(n[0], fmax(n[1], n[2])) * stz_grid_spacing(grid);
  double complex *spectrum = NULL;
  double *scratch = NULL, poor;
  stz_radial *radial = NULL;
  bool percolates[2];
  stz_err err = STZ_NEW(spectrum, stz_spectral_modes(spectral));
  if (err == STZ_OK) err = STZ_NEW(scratch, micro->sites);
  STZ_TRY_TO(clean, err, stz_agree(stz_grid_comm(grid), err));
  phase(micro, true, scratch, &measures->volume_fraction_rich, &measures->g_mean_rich);
  phase(micro, false, scratch, &poor, &measures->g_mean_poor);
  stz_spectral_forward(spectral, micro->f, spectrum);
  STZ_TRY_TO(clean, err, stz_radial_create(grid, spectral, spectrum, &radial));
  measures->length_spectrum_nm = stz_radial_length(radial);
  measures->length_correlation_nm = stz_radial_correlation_length(radial, longest);
  STZ_TRY_TO(clean, err, stz_topology_interface(grid, micro->f, &measures->interface_per_nm));
  STZ_TRY_TO(clean, err, stz_topology_percolation(grid, micro->f, percolates));
  measures->percolates_poor = percolates[0];
  measures->percolates_rich = percolates[1];
clean:
  stz_radial_destroy(&radial);
  stz_free(scratch);
  stz_free(spectrum);
  return err;
}
