// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/waves.h"

#include <math.h>
#include <stdio.h>

#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"
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

enum { MODES = 8192 }; // of a part of the team's work

// What a part finds: waves of the shell, and the nearest wave numbers below it, and above it with a minus.
typedef struct finding {
  long long waves;
  double nearest[2];
} finding;

typedef struct shell {
  const stz_spectral *spectral;
  uint64_t seed;
  double low, high;
  double complex *spectrum;
  finding *found;
} shell;

static void fill_shell(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const shell *s = context;
  finding found = {.nearest = {0.0, -INFINITY}};
  for (int64_t i = first; i < end; i++) {
    int m[3];
    double v[3];
    stz_spectral_wave(s->spectral, (size_t)i, m);
    stz_spectral_wave_vector(s->spectral, (size_t)i, v);
    const double k = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    const int inside = k >= s->low && k <= s->high && k > 0.0;
    s->spectrum[i] = inside ? stz_waves_amplitude(s->seed, STZ_RNG_WAVES, m) : 0.0;
    if (inside) found.waves += m[2] > 0 ? 2 : 1; // the half spectrum leaves out those with kz < 0
    if (k < s->low) found.nearest[0] = fmax(found.nearest[0], k);
    if (k > s->high) found.nearest[1] = fmax(found.nearest[1], -k);
  }
  s->found[first / MODES] = found;
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
  const int64_t modes = (int64_t)stz_spectral_modes(spectral), parts = stz_team_parts(modes, MODES);
  shell s = {.spectral = spectral, .seed = seed, .low = low, .high = high, .spectrum = spectrum};
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(s.found, parts)));
  stz_team_run(stz_grid_team(grid), modes, MODES, fill_shell, &s);
  for (int64_t p = 0; p < parts; p++) {
    waves += s.found[p].waves;
    for (int side = 0; side < 2; side++) nearest[side] = fmax(nearest[side], s.found[p].nearest[side]);
  }
  stz_free(s.found);
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
