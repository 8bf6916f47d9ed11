// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/observer.h"

#include <string.h>

#include "base/tensor.h"

#define DECLARE(name) extern const stz_observer stz_observer_##name;
STZ_OBSERVERS(DECLARE)

#define ENTRY(name) &stz_observer_##name,
const stz_observer *const stz_observers[STZ_OBSERVER_COUNT] = {STZ_OBSERVERS(ENTRY)};

uint64_t stz_view_events(const stz_view *view) {
  stz_kmc_stats stats;
  stz_kmc_stats_get(view->kmc, &stats);
  return stats.events;
}

stz_err stz_view_update(const stz_view *view, const stz_macro *macro) {
  double total, plastic;
  stz_mean_stress mean = {.t0 = macro->time_s, .temperature_K = macro->temperature_K};
  memcpy(mean.stress, macro->stress, sizeof mean.stress);
  return stz_kmc_rates(view->kmc, &mean, &total, &plastic);
}

double stz_observe_axial(const stz_glass *glass, int64_t local) {
  double d[5], tensor[6];
  for (int c = 0; c < 5; c++) d[c] = stz_glass_plastic(glass, c)[local];
  stz_sym_from_dev(d, tensor);
  return tensor[STZ_XX];
}

stz_err stz_observer_foreign(const char *name, size_t bytes) {
  return stz_fail(STZ_EIO, "checkpoint: damaged: %zu bytes are not those of %s", bytes, name);
}
