// SPDX-License-Identifier: GPL-3.0-or-later
//
// Statistics of the fields at the strains of output.statistics_strains: /correlation/level_NN, /distributions/level_NN.
#include <math.h>
#include <stdio.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "observe/correlation.h"
#include "observe/distributions.h"
#include "observe/level.h"

#define WHEN "one for each strain of `output.statistics_strains` (default: `nbed_strains`), when it is first reached"

enum { DISTANCE, RADIAL, DIRECTION, LINE_DISTANCE, LINE };
static const stz_dataset correlation[] = {
    [DISTANCE] = {"distance_nm", "nm", "mean distance of the lattice vectors of a shell", "shell", STZ_FLOAT64},
    [RADIAL] = {"radial", "1", "autocorrelation of the axial plastic strain, mean over a shell of lattice vectors",
                "shell", STZ_FLOAT64},
    [DIRECTION] = {"direction", "1", "lattice directions: axes and diagonals of their planes", "direction axis[3]",
                   STZ_FLOAT64},
    [LINE_DISTANCE] = {"line_distance_nm", "nm", "distance along each direction", "direction step", STZ_FLOAT64},
    [LINE] = {"line", "1", "autocorrelation along each direction", "direction step", STZ_FLOAT64},
};

#define EDGES(text) text ": edges of the bins"
#define COUNTS(text) text ": sites per bin, in Ni-rich domains and elsewhere"
#define BARRIER "barrier at zero stress"
#define RESOLVED "largest resolved stress of a site's modes"
#define ACTIVATION "smallest barrier of a site's modes under its stress"
// Of each kind the edges, then the counts.
static const stz_dataset distributions[2 * STZ_DISTRIBUTIONS] = {
    [2 * STZ_DISTRIBUTION_BARRIER] = {"barrier_eV_edges", "eV", EDGES(BARRIER), "barrier_eV_edge", STZ_FLOAT64},
    {"barrier_eV", "1", COUNTS(BARRIER), "domain[2] barrier_eV_bin", STZ_FLOAT64},
    [2 * STZ_DISTRIBUTION_RESOLVED] = {"resolved_stress_GPa_edges", "GPa", EDGES(RESOLVED), "resolved_stress_GPa_edge",
                                       STZ_FLOAT64},
    {"resolved_stress_GPa", "1", COUNTS(RESOLVED), "domain[2] resolved_stress_GPa_bin", STZ_FLOAT64},
    [2 * STZ_DISTRIBUTION_ACTIVATION] = {"activation_eV_edges", "eV", EDGES(ACTIVATION), "activation_eV_edge",
                                         STZ_FLOAT64},
    {"activation_eV", "1", COUNTS(ACTIVATION), "domain[2] activation_eV_bin", STZ_FLOAT64},
};
static const stz_group groups[] = {{STZ_GROUP("/correlation/level_NN", WHEN, correlation)},
                                   {STZ_GROUP("/distributions/level_NN", WHEN, distributions)}};

static stz_err write_correlation(stz_result *r, const char *group, const stz_correlation *c) {
  const int lines[2] = {STZ_CORRELATION_LINES, c->points}, vectors[2] = {STZ_CORRELATION_LINES, 3};
  double directions[STZ_CORRELATION_LINES * 3];
  for (int i = 0; i < STZ_CORRELATION_LINES; i++) {
    for (int k = 0; k < 3; k++) directions[3 * i + k] = stz_correlation_directions[i][k];
  }
  STZ_TRY(stz_result_values(r, group, &correlation[DISTANCE], &c->points, c->radial_nm));
  STZ_TRY(stz_result_values(r, group, &correlation[RADIAL], &c->points, c->radial));
  STZ_TRY(stz_result_values(r, group, &correlation[DIRECTION], vectors, directions));
  STZ_TRY(stz_result_values(r, group, &correlation[LINE_DISTANCE], lines, c->line_nm));
  STZ_TRY(stz_result_values(r, group, &correlation[LINE], lines, c->line));
  STZ_TRY(stz_result_double(r, group, "mean", c->mean));
  return stz_result_double(r, group, "variance", c->variance);
}

static stz_err correlate(const stz_view *s, const char *group) {
  const double width = cbrt(stz_glass_stz(s->glass)->volume_nm3) / (2.0 * sqrt(STZ_PI));
  stz_spectral *spectral = NULL;
  stz_correlation *c = NULL;
  double *axial = NULL;
  STZ_TRY(stz_spectral_create(s->grid, &spectral));
  stz_err err = stz_agree(stz_grid_comm(s->grid), STZ_NEW(axial, stz_grid_local_sites(s->grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid) && err == STZ_OK; i++)
    axial[i] = stz_observe_axial(s->glass, i);
  if (err == STZ_OK) err = stz_correlation_create(s->grid, spectral, axial, width, &c);
  if (err == STZ_OK) err = write_correlation(s->result, group, c);
  stz_correlation_destroy(&c);
  stz_free(axial);
  stz_spectral_destroy(&spectral);
  return err;
}

static stz_err write_histogram(const stz_view *s, const char *group, stz_distribution_kind kind,
                               const stz_histogram *h) {
  const double scale = kind == STZ_DISTRIBUTION_RESOLVED ? STZ_GPA : 1.0; // internal units of one of the file's
  const int edges = h->bins + 1, counts[2] = {STZ_DOMAINS, h->bins};
  double *edge;
  STZ_TRY(stz_agree(stz_grid_comm(s->grid), STZ_NEW(edge, edges)));
  for (int i = 0; i < edges; i++) edge[i] = i * (h->width / scale);
  stz_err err = stz_result_values(s->result, group, &distributions[2 * kind], &edges, edge);
  stz_free(edge);
  STZ_TRY(err);
  return stz_result_values(s->result, group, &distributions[2 * kind + 1], counts, h->counts);
}

static stz_err distribute(const stz_view *s, const stz_macro *macro, const char *group) {
  stz_distributions *d = NULL;
  STZ_TRY(stz_distributions_create(s->glass, s->kmc, macro->stress, &d));
  stz_err err = STZ_OK;
  for (int kind = 0; kind < STZ_DISTRIBUTIONS && err == STZ_OK; kind++) {
    err = write_histogram(s, group, (stz_distribution_kind)kind, &d->histogram[kind]);
  }
  stz_distributions_destroy(&d);
  return err;
}

static const stz_strain_levels *levels_of(const stz_config *config) {
  return config->statistics_strains.count > 0 ? &config->statistics_strains : &config->nbed_strains;
}

static bool applies(const stz_config *config) { return levels_of(config)->count > 0; }

static const stz_strain_levels *strains(const stz_config *config) { return &config->statistics_strains; }

static stz_err create(const stz_view *view, void **state) {
  return stz_reached_create(view, "statistics", levels_of(view->config), state);
}

static stz_err take(void *state, const stz_span *span, double at_s) {
  stz_reached *reached = state;
  const stz_view *view = reached->view;
  const stz_macro macro = stz_reached_state(reached, span, at_s);
  const stz_moment moment = stz_moment_of(&macro);
  char group[48];
  STZ_TRY(stz_stage(stz_grid_comm(view->grid), "taking statistics"));
  STZ_TRY(stz_view_update(view, &macro));
  snprintf(group, sizeof group, "/distributions/level_%02d", reached->next);
  STZ_TRY(distribute(view, &macro, group)); // first, as it may be left before it writes
  STZ_TRY(stz_moment_write(view->result, group, &moment));
  snprintf(group, sizeof group, "/correlation/level_%02d", reached->next);
  STZ_TRY(correlate(view, group));
  STZ_TRY(stz_moment_write(view->result, group, &moment));
  stz_log(STZ_LOG_DETAIL, "statistics %d at strain %.4g", reached->next, moment.strain);
  reached->next++;
  return stz_result_flush(view->result);
}

const stz_observer stz_observer_statistics = {.name = "statistics",
                                              .groups = groups,
                                              .group_count = 2,
                                              .applies = applies,
                                              .strains = strains,
                                              .strains_name = "levels of statistics",
                                              .create = create,
                                              .destroy = stz_free,
                                              .next_due = stz_reached_due,
                                              .take = take,
                                              .saved_bytes = stz_reached_saved_bytes,
                                              .save = stz_reached_save,
                                              .restore = stz_reached_restore};
