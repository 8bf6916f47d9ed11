// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/quench.h"

#include <assert.h>
#include <math.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/units.h"
#include "micro/cahn_hilliard.h"
#include "micro/radial.h"
#include "micro/waves.h"

static const double COARSENING = 1.25;            // wavelength_nm over that of the wave which grows fastest
static const double WIDEST = 2.1;                 // spacing of the quench's lattice, at most, in units of xi
static const double NOISE = 0.1;                  // rms of c at the beginning
static const double STEP = 0.5, LONGEST = 2000.0; // xi^2/mobility

// Waves below this, in units of 1/xi, are unstable at the beginning.
static double band(const stz_micro_params *params) {
  const double mean = 2.0 * params->nickel_fraction - 1.0;
  return sqrt(1.0 - 3.0 * mean * mean);
}

double stz_quench_xi(const stz_micro_params *params) {
  return params->wavelength_nm * band(params) / (2.0 * STZ_PI * sqrt(2.0) * COARSENING);
}

// A lattice of the same box: the sample's own, or one with 10, 12, 14 ... sites to its 8.
static stz_err make_lattice(const stz_grid *sample, double xi, stz_grid **grid, stz_spectral **spectral) {
  const double a = stz_grid_spacing(sample);
  int sites = 8;
  while (8.0 * a / sites > WIDEST * xi) sites += 2;
  stz_lattice_params lattice = {.spacing_nm = 8.0 * a / sites};
  for (int axis = 0; axis < 3; axis++) {
    assert(stz_grid_cells(sample)[axis] % 8 == 0);
    lattice.cells[axis] = stz_grid_cells(sample)[axis] / 8 * sites;
  }
  STZ_TRY(stz_grid_create(stz_grid_comm(sample), &lattice, grid));
  return stz_spectral_create(*grid, spectral);
}

static stz_err length_and_power(const stz_grid *grid, const stz_spectral *spectral, const double complex *c,
                                double *length, double *power) {
  stz_radial *radial;
  STZ_TRY(stz_radial_create(grid, spectral, c, &radial));
  *length = stz_radial_length(radial);
  *power = 0.0;
  for (int bin = 0; bin < STZ_RADIAL_BINS; bin++) *power += radial->power[bin];
  stz_radial_destroy(&radial);
  return STZ_OK;
}

static stz_err begin(const stz_grid *grid, const stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                     double complex *c) {
  const double sites = (double)stz_grid_sites(grid), limit = band(params) / stz_quench_xi(params);
  double length, power;
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int m[3];
    double k[3];
    stz_spectral_wave(spectral, i, m);
    stz_spectral_wave_vector(spectral, i, k);
    const double k2 = k[0] * k[0] + k[1] * k[1] + k[2] * k[2];
    c[i] = k2 > 0.0 && k2 < limit * limit ? stz_waves_amplitude(seed, STZ_RNG_QUENCH, m) : 0.0;
  }
  STZ_TRY(length_and_power(grid, spectral, c, &length, &power));
  const double scale = NOISE * sites / sqrt(power);
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int m[3];
    stz_spectral_wave(spectral, i, m);
    c[i] = m[0] || m[1] || m[2] ? scale * c[i] : (2.0 * params->nickel_fraction - 1.0) * sites;
  }
  return STZ_OK;
}

static stz_err coarsen(const stz_grid *grid, const stz_spectral *spectral, double wavelength, stz_cahn_hilliard *ch) {
  double length, power;
  for (double time = 0.0; time <= LONGEST; time += STEP) {
    STZ_TRY(length_and_power(grid, spectral, stz_cahn_hilliard_spectrum(ch), &length, &power));
    if (length >= wavelength) {
      stz_log(STZ_LOG_INFO, "microstructure: quench over after %g xi^2/mobility, length %.4g nm, rms %.3f", time,
              length, sqrt(power) / (double)stz_grid_sites(grid));
      return STZ_OK;
    }
    STZ_TRY(stz_agree(stz_grid_comm(grid), stz_stage_on(fmin(length / wavelength, 1.0))));
    stz_cahn_hilliard_step(ch, STEP);
  }
  return stz_fail(STZ_EINPUT,
                  "microstructure.wavelength_nm: got %g, but the quench stays at %.4g nm in this box: needs a "
                  "larger box, a shorter wavelength or another seed",
                  wavelength, length);
}

static stz_err check(const stz_grid *grid, const stz_micro_params *params) {
  const int *n = stz_grid_cells(grid);
  const double a = stz_grid_spacing(grid), edge = fmin(n[0], fmin(n[1], n[2])) * a;
  if (params->wavelength_nm > 3.0 * a && params->wavelength_nm <= edge / 3.0) return STZ_OK;
  return stz_fail(STZ_EINPUT,
                  "microstructure.wavelength_nm: got %g, needs > %.4g, 3 spacing_nm, and <= %.4g, a third of the box's "
                  "shortest edge, with type = \"cahn-hilliard\"",
                  params->wavelength_nm, 3.0 * a, edge / 3.0);
}

stz_err stz_quench_fill(const stz_grid *grid, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                        double complex *spectrum) {
  const double xi = stz_quench_xi(params);
  stz_grid *own = NULL;
  stz_spectral *own_spectral = NULL;
  stz_cahn_hilliard *ch = NULL;
  stz_err err;
  STZ_TRY(check(grid, params));
  STZ_TRY(stz_stage(stz_grid_comm(grid), "quenching the microstructure (Cahn-Hilliard)"));
  STZ_TRY_TO(done, err, make_lattice(grid, xi, &own, &own_spectral));
  STZ_TRY_TO(done, err, stz_cahn_hilliard_create(own, own_spectral, xi, &ch));
  STZ_TRY_TO(done, err, begin(own, own_spectral, params, seed, stz_cahn_hilliard_spectrum(ch)));
  STZ_TRY_TO(done, err, coarsen(own, own_spectral, params->wavelength_nm, ch));
  STZ_TRY_TO(done, err, stz_spectral_resample(own_spectral, stz_cahn_hilliard_spectrum(ch), spectral, spectrum));
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int m[3];
    stz_spectral_wave(spectral, i, m);
    if (!m[0] && !m[1] && !m[2]) spectrum[i] = 0.0;
  }
done:
  stz_cahn_hilliard_destroy(&ch);
  stz_spectral_destroy(&own_spectral);
  stz_grid_destroy(&own);
  return err;
}
