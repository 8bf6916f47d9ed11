// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "observe/correlation.h"
#include "observe/distributions.h"
#include "sim/level.h"

static stz_err write_correlation(stz_result *r, const char *group, const stz_correlation *c) {
  char path[128];
  const int lines[2] = {STZ_CORRELATION_LINES, c->points}, vectors[2] = {STZ_CORRELATION_LINES, 3};
  double directions[STZ_CORRELATION_LINES * 3];
  for (int i = 0; i < STZ_CORRELATION_LINES; i++) {
    for (int k = 0; k < 3; k++) directions[3 * i + k] = stz_correlation_directions[i][k];
  }
#define PATH(name) (snprintf(path, sizeof path, "%s/" name, group), path)
  STZ_TRY(stz_result_doubles(r, PATH("distance_nm"), "nm", "mean distance of the lattice vectors of a shell", 1,
                             &c->points, c->radial_nm));
  STZ_TRY(stz_result_doubles(r, PATH("radial"), "1",
                             "autocorrelation of the axial plastic strain, mean over a shell of lattice vectors", 1,
                             &c->points, c->radial));
  STZ_TRY(stz_result_doubles(r, PATH("direction"), "1", "lattice directions: axes and diagonals of their planes", 2,
                             vectors, directions));
  STZ_TRY(stz_result_doubles(r, PATH("line_distance_nm"), "nm", "distance along each direction", 2, lines, c->line_nm));
  STZ_TRY(stz_result_doubles(r, PATH("line"), "1", "autocorrelation along each direction", 2, lines, c->line));
#undef PATH
  STZ_TRY(stz_result_double(r, group, "mean", c->mean));
  return stz_result_double(r, group, "variance", c->variance);
}

static stz_err correlate(stz_result *r, const stz_sample *s, const char *group) {
  const double width = cbrt(stz_glass_stz(s->glass)->volume_nm3) / (2.0 * sqrt(STZ_PI));
  stz_spectral *spectral = NULL;
  stz_correlation *c = NULL;
  double *axial = NULL;
  STZ_TRY(stz_spectral_create(s->grid, &spectral));
  stz_err err = stz_agree(stz_grid_comm(s->grid), STZ_NEW(axial, stz_grid_local_sites(s->grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid) && err == STZ_OK; i++) axial[i] = stz_sample_axial(s, i);
  if (err == STZ_OK) err = stz_correlation_create(s->grid, spectral, axial, width, &c);
  if (err == STZ_OK) err = write_correlation(r, group, c);
  stz_correlation_destroy(&c);
  stz_free(axial);
  stz_spectral_destroy(&spectral);
  return err;
}

static const struct {
  const char *name, *unit, *description;
  double scale; // internal units of one `unit`
} kinds[STZ_DISTRIBUTIONS] = {
    [STZ_DISTRIBUTION_BARRIER] = {"barrier_eV", "eV", "barrier at zero stress", 1.0},
    [STZ_DISTRIBUTION_RESOLVED] = {"resolved_stress_GPa", "GPa", "largest resolved stress of a site's modes", STZ_GPA},
    [STZ_DISTRIBUTION_ACTIVATION] = {"activation_eV", "eV", "smallest barrier of a site's modes under its stress", 1.0},
};

static stz_err write_histogram(stz_result *r, MPI_Comm comm, const char *group, int kind, const stz_histogram *h) {
  char path[128], text[160];
  const int edges = h->bins + 1, counts[2] = {STZ_DOMAINS, h->bins};
  double *edge;
  STZ_TRY(stz_agree(comm, STZ_NEW(edge, edges)));
  for (int i = 0; i < edges; i++) edge[i] = i * (h->width / kinds[kind].scale);
  snprintf(path, sizeof path, "%s/%s_edges", group, kinds[kind].name);
  snprintf(text, sizeof text, "%s: edges of the bins", kinds[kind].description);
  stz_err err = stz_result_doubles(r, path, kinds[kind].unit, text, 1, &edges, edge);
  stz_free(edge);
  STZ_TRY(err);
  snprintf(path, sizeof path, "%s/%s", group, kinds[kind].name);
  snprintf(text, sizeof text, "%s: sites a bin, in Ni-rich domains and elsewhere", kinds[kind].description);
  return stz_result_doubles(r, path, "1", text, 2, counts, h->counts);
}

static stz_err distribute(stz_result *r, const stz_sample *s, const stz_macro *macro, const char *group) {
  stz_distributions *d = NULL;
  STZ_TRY(stz_distributions_create(s->glass, s->kmc, macro->stress, &d));
  stz_err err = STZ_OK;
  for (int kind = 0; kind < STZ_DISTRIBUTIONS && err == STZ_OK; kind++) {
    err = write_histogram(r, stz_grid_comm(s->grid), group, kind, &d->histogram[kind]);
  }
  stz_distributions_destroy(&d);
  return err;
}

stz_err stz_statistics_take(stz_result *result, const stz_sample *sample, const stz_macro *macro, int level) {
  char group[48];
  const stz_moment moment = stz_sample_moment(macro);
  STZ_TRY(stz_stage(stz_grid_comm(sample->grid), "taking statistics"));
  stz_sample_refresh(sample, macro);
  snprintf(group, sizeof group, "/distributions/level_%02d", level);
  STZ_TRY(distribute(result, sample, macro, group)); // first, as it may be left before it writes
  STZ_TRY(stz_moment_write(result, group, &moment));
  snprintf(group, sizeof group, "/correlation/level_%02d", level);
  STZ_TRY(correlate(result, sample, group));
  STZ_TRY(stz_moment_write(result, group, &moment));
  stz_log(STZ_LOG_DETAIL, "statistics %d at strain %.4g", level, macro->strain[STZ_XX]);
  return stz_result_flush(result);
}
