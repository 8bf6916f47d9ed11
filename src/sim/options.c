// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a run's options come to, and what its output is made of.
#include <stdio.h>

#include "observe/observer.h"
#include "sim/header.h"
#include "sim/sim.h"

void stz_sim_engine(const stz_config *config, char text[STZ_ENGINE_TEXT]) {
  const stz_engine_kind engine = config->kmc.engine, first = (stz_engine_kind)(STZ_ENGINE_AUTO - 1);
  const int *cells = config->lattice.cells;
  char reason[STZ_ENGINE_TEXT / 2] = "";
  if (config->engine_auto && engine != first) { // the first choice did not fit
    const stz_engine_needs needs = stz_engine_needs_of(first);
    snprintf(reason, sizeof reason, ", as %s needs %d voxels %s and the box has %d x %d x %d", needs.name, needs.least,
             config->lattice.boundary == STZ_BOUNDARY_FILM ? "along x and y" : "per axis", cells[0], cells[1],
             cells[2]);
  }
  snprintf(text, STZ_ENGINE_TEXT, "%s (%s%s)", stz_engine_needs_of(engine).name,
           config->engine_auto ? "auto" : "as chosen", reason);
}

void stz_sim_output_reference(FILE *out) {
  for (int i = 0; i < STZ_HEADER_GROUPS; i++) stz_group_print(&stz_header_groups[i], out);
  for (int i = 0; i < STZ_OBSERVER_COUNT; i++) {
    const stz_observer *observer = stz_observers[i];
    for (int g = 0; g < observer->group_count; g++) stz_group_print(&observer->groups[g], out);
  }
}
