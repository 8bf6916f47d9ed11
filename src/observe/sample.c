// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the observers see of a glass.
#include "observe/history.h"
#include "observe/nbed.h"

stz_nbed_sample stz_nbed_sample_of(const stz_glass *glass) {
  stz_nbed_sample sample = {.grid = stz_glass_grid(glass),
                            .event_count = stz_glass_event_count(glass),
                            .composition = stz_glass_composition(glass),
                            .cluster_density = stz_glass_cluster_density(glass),
                            .stz_volume_nm3 = stz_glass_stz(glass)->volume_nm3,
                            .order = *stz_glass_order(glass)};
  sample.clusters = stz_glass_clusters(glass, &sample.cluster_count);
  return sample;
}

stz_history_sample stz_history_observe(const stz_glass *glass, stz_tally *tally, uint64_t events) {
  const stz_grid *grid = stz_glass_grid(glass);
  int64_t count;
  (void)stz_glass_clusters(glass, &count);
  stz_history_sample sample = {.stz_per_box = stz_grid_fraction(grid, stz_glass_stz(glass)->volume_nm3),
                               .order_mean = stz_order_mean(grid, stz_glass_ordered(glass), count),
                               .reversal_share = events ? (double)stz_glass_reversals(glass) / (double)events : 0.0};
  stz_tally_look(tally, &sample.participation, &sample.localisation);
  return sample;
}

stz_err stz_history_tally(const stz_glass *glass, stz_tally **tally) {
  const stz_grid *grid = stz_glass_grid(glass);
  const stz_stz_params *stz = stz_glass_stz(glass);
  const float *plastic[5];
  for (int c = 0; c < 5; c++) plastic[c] = stz_glass_plastic(glass, c);
  const double unit = stz->gamma0 * stz_grid_voxels(grid, stz->volume_nm3);
  return stz_tally_create(grid, plastic, stz_glass_event_count(glass), unit, tally);
}
