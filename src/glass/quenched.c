// SPDX-License-Identifier: GPL-3.0-or-later
//
// Quenched-in eigenstrain: what cooling has left in the glass, as an independent normal deviator at each site, spread
// over an STZ as that of an event is. Its average over an STZ is white noise filtered by exp(-k^2 s^2) Omega/a^3, whose
// variance is Omega/(2^1.5 a^3) times the noise's: that fixes the scale, whatever the spacing.
#include <math.h>

#include "glass/internal.h"

static void draw(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const stz_glass *g = context;
  const double a = stz_grid_spacing(g->grid), share = a * a * a / g->stz.volume_nm3;
  const double deviation = g->stz.quenched_strain * sqrt(sqrt(8.0) * share / 5.0);
  const size_t stride = stz_field_stride(g->grid);
  for (int64_t i = first; i < end; i++) {
    stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_QUENCHED, (uint64_t)(stz_grid_first_site(g->grid) + i));
    for (size_t c = 0; c < 5; c++) g->quenched[c * stride + (size_t)i] = (float)(deviation * stz_rng_normal(&rng));
  }
}

stz_err stz_quenched_init(stz_glass *g) {
  static const stz_field_spec spec = {"quenched_strain", "1", "quenched-in strain, deviator components",
                                      STZ_F32,           5,   STZ_FIELD_FIXED};
  if (g->stz.quenched_strain <= 0.0) return STZ_OK;
  STZ_TRY(stz_fields_add(g->fields, &spec, (void **)&g->quenched));
  stz_team_run(stz_grid_team(g->grid), stz_grid_local_sites(g->grid), 8192, draw, g);
  return STZ_OK;
}
