// SPDX-License-Identifier: GPL-3.0-or-later
//
// Virtual nanobeam diffraction at the strains of output.nbed_strains: /nbed/level_NN.
#include "observe/nbed.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "observe/level.h"

static bool applies(const stz_config *config) { return config->nbed_strains.count > 0; }

static const stz_strain_levels *strains(const stz_config *config) { return &config->nbed_strains; }

static stz_err create(const stz_view *view, void **state) {
  return stz_reached_create(view, "nbed", &view->config->nbed_strains, state);
}

static stz_err take(void *state, const stz_span *span, double at_s) {
  stz_reached *reached = state;
  const stz_view *view = reached->view;
  const stz_macro macro = stz_reached_state(reached, span, at_s);
  const stz_moment moment = stz_moment_of(&macro);
  const stz_nbed_sample sample = stz_nbed_sample_of(view->glass);
  const stz_nbed_params *params = &view->config->nbed;
  stz_nbed *nbed;
  STZ_TRY(stz_stage(stz_grid_comm(view->grid), "scanning the foils"));
  STZ_TRY(stz_nbed_create(&sample, params, view->config->seed, (uint64_t)reached->next, &nbed));
  stz_log(STZ_LOG_INFO, "NBED at strain %.4g: %.3f of %d patterns with Bragg reflections", moment.strain,
          nbed->bragg_mean, nbed->scans * STZ_NBED_PATTERNS);
  const stz_err err = stz_strain_level_write(view->result, reached->next, nbed, params, &moment);
  stz_nbed_destroy(&nbed);
  STZ_TRY(err);
  reached->next++;
  return stz_result_flush(view->result);
}

const stz_observer stz_observer_nbed = {.name = "nbed",
                                        .groups = &stz_level_group,
                                        .group_count = 1,
                                        .applies = applies,
                                        .strains = strains,
                                        .strains_name = "NBED levels",
                                        .create = create,
                                        .destroy = stz_free,
                                        .next_due = stz_reached_due,
                                        .take = take,
                                        .saved_bytes = stz_reached_saved_bytes,
                                        .save = stz_reached_save,
                                        .restore = stz_reached_restore};
