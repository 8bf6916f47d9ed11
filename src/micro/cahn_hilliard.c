// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/cahn_hilliard.h"

#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"

struct stz_cahn_hilliard {
  const stz_grid *grid;
  stz_spectral *spectral;
  double complex *c, *work; // spectra
  double *k2;               // a mode, in units of 1/xi^2; negative on the Nyquist planes
  double *field;            // one number per local site
};

static stz_err allocate(stz_cahn_hilliard *ch) {
  const size_t modes = stz_spectral_modes(ch->spectral);
  STZ_TRY(STZ_NEW(ch->c, modes));
  STZ_TRY(STZ_NEW(ch->work, modes));
  STZ_TRY(STZ_NEW(ch->k2, modes));
  return STZ_NEW(ch->field, stz_grid_local_sites(ch->grid));
}

stz_err stz_cahn_hilliard_create(const stz_grid *grid, stz_spectral *spectral, double xi_nm, stz_cahn_hilliard **ch) {
  const int *cells = stz_grid_cells(grid);
  *ch = NULL;
  stz_err err = STZ_NEW(*ch, 1);
  if (err == STZ_OK) {
    **ch = (stz_cahn_hilliard){.grid = grid, .spectral = spectral};
    err = allocate(*ch);
  }
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) {
    stz_cahn_hilliard_destroy(ch);
    return err;
  }
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int m[3];
    double k[3];
    stz_spectral_wave(spectral, i, m);
    stz_spectral_wave_vector(spectral, i, k);
    const int nyquist = 2 * abs(m[0]) == cells[0] || 2 * abs(m[1]) == cells[1] || 2 * m[2] == cells[2];
    (*ch)->k2[i] = nyquist ? -1.0 : xi_nm * xi_nm * (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
  }
  return STZ_OK;
}

void stz_cahn_hilliard_destroy(stz_cahn_hilliard **ch) {
  if (!*ch) return;
  stz_free((*ch)->c);
  stz_free((*ch)->work);
  stz_free((*ch)->k2);
  stz_free((*ch)->field);
  stz_free(*ch);
  *ch = NULL;
}

double complex *stz_cahn_hilliard_spectrum(stz_cahn_hilliard *ch) { return ch->c; }

void stz_cahn_hilliard_step(stz_cahn_hilliard *ch, double dt) {
  const size_t modes = stz_spectral_modes(ch->spectral);
  const int64_t sites = stz_grid_local_sites(ch->grid);
  memcpy(ch->work, ch->c, modes * sizeof *ch->work);
  stz_spectral_inverse(ch->spectral, ch->work, ch->field);
  for (int64_t i = 0; i < sites; i++) {
    const double c = ch->field[i];
    ch->field[i] = (c * c - 3.0) * c;
  }
  stz_spectral_forward(ch->spectral, ch->field, ch->work);
  for (size_t i = 0; i < modes; i++) {
    const double k2 = ch->k2[i];
    ch->c[i] = k2 < 0.0 ? 0.0 : (ch->c[i] - dt * k2 * ch->work[i]) / (1.0 + dt * k2 * (2.0 + k2));
  }
}
