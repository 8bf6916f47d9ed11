// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/waves.h"

#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/units.h"

enum { FEW_PAIRS = 20 }; // below this the field is visibly not Gaussian: its kurtosis is 3 - 3/(pairs + 1)

uint64_t stz_waves_index(const int m[3], int *conjugate) {
  const int last = m[2] ? m[2] : m[1] ? m[1] : m[0];
  const int sign = last < 0 ? -1 : 1;
  *conjugate = sign < 0;
  return ((uint64_t)(sign * m[0] + 512) * 1024 + (uint64_t)(sign * m[1] + 512)) * 1024 + (uint64_t)(sign * m[2]);
}

double complex stz_waves_amplitude(uint64_t seed, stz_purpose purpose, const int m[3]) {
  int conjugate;
  stz_rng rng = stz_rng_stream(seed, purpose, stz_waves_index(m, &conjugate));
  const double re = stz_rng_normal(&rng), im = stz_rng_normal(&rng);
  return stz_complex(re, conjugate ? -im : im);
}

stz_err stz_waves_fill(const stz_grid *grid, const stz_spectral *spectral, const stz_micro_params *params,
                       uint64_t seed, double complex *spectrum) {
  const double a = stz_grid_spacing(grid), lambda = params->wavelength_nm, bandwidth = params->bandwidth;
  const double low = 2.0 * STZ_PI / lambda * (1.0 - bandwidth), high = 2.0 * STZ_PI / lambda * (1.0 + bandwidth);
  if (high >= STZ_PI / a) {
    return stz_fail(STZ_EINPUT, "microstructure.wavelength_nm: got %g, needs > 2 spacing_nm (1 + bandwidth) = %g nm",
                    lambda, 2.0 * a * (1.0 + bandwidth));
  }
  long long waves = 0;
  double nearest[2] = {0.0, -INFINITY}; // wave numbers below the shell, and above it with a minus
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int m[3];
    double v[3];
    stz_spectral_wave(spectral, i, m);
    stz_spectral_wave_vector(spectral, i, v);
    const double k = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    const int inside = k >= low && k <= high && k > 0.0;
    spectrum[i] = inside ? stz_waves_amplitude(seed, STZ_RNG_WAVES, m) : 0.0;
    if (inside) waves += m[2] > 0 ? 2 : 1; // the half spectrum leaves out those with kz < 0
    if (k < low) nearest[0] = fmax(nearest[0], k);
    if (k > high) nearest[1] = fmax(nearest[1], -k);
  }
  MPI_Allreduce(MPI_IN_PLACE, &waves, 1, MPI_LONG_LONG, MPI_SUM, stz_grid_comm(grid));
  MPI_Allreduce(MPI_IN_PLACE, nearest, 2, MPI_DOUBLE, MPI_MAX, stz_grid_comm(grid));
  if (waves == 0) {
    const int *n = stz_grid_cells(grid);
    char longer[64] = "";
    if (nearest[0] > 0.0) snprintf(longer, sizeof longer, " and %.4g", 2.0 * STZ_PI / nearest[0]);
    return stz_fail(STZ_EINPUT,
                    "microstructure.wavelength_nm: got %g, but the periodic box of %g x %g x %g nm has no wave within "
                    "bandwidth = %g of it; the nearest wavelengths that fit: %.4g%s nm",
                    lambda, n[0] * a, n[1] * a, n[2] * a, bandwidth, -2.0 * STZ_PI / nearest[1], longer);
  }
  if (waves < 2 * FEW_PAIRS) {
    stz_log(STZ_LOG_WARNING, "microstructure: only %lld independent waves fit the box: the field is hardly random",
            waves / 2);
  }
  return STZ_OK;
}
