// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/nbed.h"

#include <math.h>
#include <stdbool.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/units.h"
#include "observe/survival.h"
#include "observe/tube.h"
#include "rng/rng.h"

// The geometry of a level: axes, box, and the regular places of the scans.
typedef struct layout {
  int axis[3];      // u, v, beam
  double box[3];    // sides along them, nm
  double step;      // of the probe grid, nm
  double foil;      // thickness, nm
  double begin;     // room for the start of a foil along the beam, nm
  double reach;     // largest distance of a cluster's centre from the axis of a probe that sees it, nm
  int places[2];    // scans side by side along u and v
  int layers;       // displaced foils
  double offset[3]; // of the first scan, along u, v and the beam
} layout;

static stz_err layout_create(const stz_nbed_sample *sample, const stz_nbed_params *params, layout *l) {
  *l = (layout){.step = params->probe_nm,
                .foil = params->foil_nm,
                .reach = sample->order.cluster_radius_nm + 0.5 * params->probe_nm};
  for (int k = 0; k < 3; k++) {
    l->axis[k] = (params->beam + 1 + k) % 3;
    l->box[k] = stz_grid_cells(sample->grid)[l->axis[k]] * stz_grid_spacing(sample->grid);
  }
  l->begin = stz_grid_film(sample->grid) ? fmax(0.0, l->box[2] - l->foil) : l->box[2];
  const double width = fmin(l->box[0], l->box[1]), rounding = 1e-9;
  if (l->foil > l->box[2] * (1.0 + rounding)) {
    return stz_fail(STZ_EINPUT, "nbed.foil_nm: got %g, needs at most %.6g, the box along the beam", l->foil, l->box[2]);
  }
  if (STZ_NBED_SIDE * l->step > width * (1.0 + rounding)) {
    return stz_fail(STZ_EINPUT, "nbed.probe_nm: got %g, needs at most %.6g, a tenth of the box across the beam",
                    l->step, width / STZ_NBED_SIDE);
  }
  const double finest = sqrt(l->box[0] * l->box[1] / STZ_NBED_PROBES);
  if (l->step < finest) {
    return stz_fail(STZ_EINPUT, "nbed.probe_nm: got %g, needs at least %.4g, for at most %d probes side by side",
                    l->step, 1.001 * finest, STZ_NBED_PROBES);
  }
  if (2.0 * l->reach > width) {
    return stz_fail(STZ_EINPUT, "order.cluster_radius_nm: got %g, needs at most %.6g, half the box less the probe's",
                    sample->order.cluster_radius_nm, 0.5 * (width - l->step));
  }
  return STZ_OK;
}

// Puts the scans on the grid of places with the widest pitch that holds them; if none does, on the densest one, in as
// many displaced foils as it takes.
static void place_scans(int scans, uint64_t seed, uint64_t level, layout *l) {
  const double side = STZ_NBED_SIDE * l->step;
  const int fit_u = (int)floor(l->box[0] / side + 1e-9), fit_v = (int)floor(l->box[1] / side + 1e-9);
  l->places[0] = fit_u;
  l->places[1] = fit_v;
  double widest = 0.0;
  for (int nu = 1; nu <= fit_u; nu++) {
    const int nv = (scans + nu - 1) / nu;
    const double pitch = fmin(l->box[0] / nu, l->box[1] / nv);
    if (nv > fit_v || pitch <= widest) continue;
    widest = pitch;
    l->places[0] = nu;
    l->places[1] = nv;
  }
  const int places = l->places[0] * l->places[1];
  l->layers = (scans + places - 1) / places;
  stz_rng rng = stz_rng_stream(seed, STZ_RNG_SCANS, level);
  for (int k = 0; k < 3; k++) l->offset[k] = stz_rng_uniform(&rng) * l->box[k];
}

static double modulo(double x, double period) {
  const double rest = x - floor(x / period) * period;
  return rest < period ? rest : 0.0;
}

// Corner of a scan along u, v and the beam.
static void scan_corner(const layout *l, int scan, double corner[3]) {
  const int places = l->places[0] * l->places[1], place = scan % places, layer = scan / places;
  const int row = place / l->places[1], column = place % l->places[1];
  corner[0] = modulo(l->offset[0] + row * l->box[0] / l->places[0], l->box[0]);
  corner[1] = modulo(l->offset[1] + column * l->box[1] / l->places[1], l->box[1]);
  corner[2] = modulo(l->offset[2] + layer * l->box[2] / l->layers, l->box[2]);
  if (l->begin < l->box[2]) corner[2] *= l->begin / l->box[2]; // the foil lies within the film
}

static stz_err nbed_allocate(int scans, stz_nbed **nbed) {
  STZ_TRY(STZ_NEW(*nbed, 1));
  stz_nbed *n = *nbed;
  n->scans = scans;
  STZ_TRY(STZ_NEW(n->bragg, scans * STZ_NBED_PATTERNS));
  STZ_TRY(STZ_NEW(n->probability, scans * STZ_NBED_PATTERNS));
  STZ_TRY(STZ_NEW(n->density, scans * STZ_NBED_PATTERNS));
  STZ_TRY(STZ_NEW(n->mask, scans * STZ_NBED_PATTERNS));
  STZ_TRY(STZ_NEW(n->counts, scans));
  STZ_TRY(STZ_NEW(n->counts_by_domain, scans * 4));
  return STZ_NEW(n->origin_nm, scans * 3);
}

void stz_nbed_destroy(stz_nbed **nbed) {
  stz_nbed *n = *nbed;
  if (!n) return;
  stz_free(n->bragg);
  stz_free(n->probability);
  stz_free(n->density);
  stz_free(n->mask);
  stz_free(n->counts);
  stz_free(n->counts_by_domain);
  stz_free(n->origin_nm);
  stz_free(n);
  *nbed = NULL;
}

// Distance from `from` to `to` around the period, in [-period/2, period/2].
static double nearest(double from, double to, double period) {
  const double d = to - from;
  return d - period * rint(d / period);
}

// Marks the patterns of a scan that see the cluster.
static void see_cluster(const layout *l, const double corner[3], const stz_cluster *cluster, uint8_t *bragg) {
  double p[3];
  for (int k = 0; k < 3; k++) p[k] = (double)cluster->position_nm[l->axis[k]];
  if (modulo(p[2] - corner[2], l->box[2]) >= l->foil) return;
  double du[STZ_NBED_SIDE], dv[STZ_NBED_SIDE];
  for (int i = 0; i < STZ_NBED_SIDE; i++) {
    du[i] = nearest(corner[0] + (i + 0.5) * l->step, p[0], l->box[0]);
    dv[i] = nearest(corner[1] + (i + 0.5) * l->step, p[1], l->box[1]);
  }
  for (int i = 0; i < STZ_NBED_SIDE; i++) {
    for (int j = 0; j < STZ_NBED_SIDE; j++) {
      if (du[i] * du[i] + dv[j] * dv[j] <= l->reach * l->reach) bragg[i * STZ_NBED_SIDE + j] = 1;
    }
  }
}

// What the parts of a level need.
typedef struct survey {
  const stz_nbed_sample *sample;
  const layout *l;
  stz_nbed *nbed;
  const stz_columns *columns; // of the field at hand
  bool dense;                 // it is the composition
  int64_t start;              // first pattern of the layer
  double *seen;               // per probe of a foil of the whole box
  int nu, nv;                 // of them
} survey;

static void diffract_scans(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const survey *v = context;
  for (int scan = (int)first; scan < (int)end; scan++) {
    double corner[3];
    scan_corner(v->l, scan, corner);
    for (int k = 0; k < 3; k++) v->nbed->origin_nm[3 * scan + v->l->axis[k]] = corner[k];
    for (int64_t c = 0; c < v->sample->cluster_count; c++) {
      const stz_cluster *cluster = &v->sample->clusters[c];
      if (cluster->ordered && cluster->oriented) {
        see_cluster(v->l, corner, cluster, v->nbed->bragg + scan * STZ_NBED_PATTERNS);
      }
    }
  }
}

// The patterns, each rank adding what its own clusters scatter.
static stz_err diffract(survey *v) {
  const MPI_Comm comm = stz_grid_comm(v->sample->grid);
  STZ_TRY(stz_agree(comm, stz_look_run(stz_grid_team(v->sample->grid), v->nbed->scans, 1, diffract_scans, v)));
  MPI_Allreduce(MPI_IN_PLACE, v->nbed->bragg, v->nbed->scans * STZ_NBED_PATTERNS, MPI_UINT8_T, MPI_BOR, comm);
  return STZ_OK;
}

// Probability that the probe at (u, v) sees a cluster: the clusters that are left are a Poisson process whose density
// is lambda0 times the acceptance times the survival.
static double seen_probability(const stz_nbed_sample *sample, const layout *l, const stz_columns *survival, double u,
                               double v) {
  const double volume = stz_columns_tube(survival, u, v, l->reach);
  return -expm1(-sample->cluster_density * sample->order.acceptance * volume);
}

// The integrals over the tubes of patterns, counted from the first one of the layer.
static void project_patterns(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const survey *v = context;
  const layout *l = v->l;
  const double probe = 0.5 * l->step, probe_volume = STZ_PI * probe * probe * l->foil;
  for (int64_t pattern = v->start + first; pattern < v->start + end; pattern++) {
    const int i = (int)(pattern % STZ_NBED_PATTERNS) / STZ_NBED_SIDE, j = (int)(pattern % STZ_NBED_SIDE);
    double corner[3];
    scan_corner(l, (int)(pattern / STZ_NBED_PATTERNS), corner);
    const double at[2] = {corner[0] + (i + 0.5) * l->step, corner[1] + (j + 0.5) * l->step};
    if (v->dense) {
      v->nbed->density[pattern] = stz_columns_tube(v->columns, at[0], at[1], probe) / probe_volume;
    } else {
      v->nbed->probability[pattern] = seen_probability(v->sample, l, v->columns, at[0], at[1]);
    }
  }
}

// The expectation and the projected density of every scan of one layer.
static void project(survey *v, int layer, const float *survival, stz_columns *columns) {
  const layout *l = v->l;
  const int places = l->places[0] * l->places[1], first = layer * places;
  const int last = first + places < v->nbed->scans ? first + places : v->nbed->scans;
  double corner[3];
  scan_corner(l, first, corner);
  v->columns = columns;
  v->start = (int64_t)first * STZ_NBED_PATTERNS;
  for (int field = 0; field < 2; field++) {
    v->dense = field;
    stz_columns_fill(columns, v->sample->grid, field ? v->sample->composition : survival, corner[2], l->foil);
    stz_team_run(stz_grid_team(v->sample->grid), (int64_t)(last - first) * STZ_NBED_PATTERNS, STZ_NBED_SIDE,
                 project_patterns, v);
  }
}

static void see_probes(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const survey *v = context;
  for (int64_t i = first; i < end; i++) {
    const int row = (int)i / v->nv, column = (int)i % v->nv;
    const double at[2] = {(row + 0.5) * v->l->box[0] / v->nu, (column + 0.5) * v->l->box[1] / v->nv};
    v->seen[i] = seen_probability(v->sample, v->l, v->columns, at[0], at[1]);
  }
}

// Mean probability over the probe grid of the whole box, stretched to fit its sides, in as many foils as cover it.
static stz_err expect(survey *v, const float *survival, stz_columns *columns, double *mean) {
  const layout *l = v->l;
  const MPI_Comm comm = stz_grid_comm(v->sample->grid);
  const int foils = (int)ceil(l->box[2] / l->foil - 1e-9);
  double sum = 0.0;
  v->nu = (int)lround(l->box[0] / l->step);
  v->nv = (int)lround(l->box[1] / l->step);
  const int probes = v->nu * v->nv; // about STZ_NBED_PROBES at most
  v->columns = columns;
  STZ_TRY(stz_agree(comm, STZ_NEW(v->seen, probes)));
  stz_err err = STZ_OK;
  for (int foil = 0; foil < foils && err == STZ_OK; foil++) {
    const double begin = l->begin < l->box[2] ? foil * l->begin / fmax(1, foils - 1) : foil * l->box[2] / foils;
    stz_columns_fill(columns, v->sample->grid, survival, begin, l->foil);
    err = stz_look_run(stz_grid_team(v->sample->grid), probes, v->nv, see_probes, v);
    err = stz_agree(comm, err);
    for (int i = 0; i < probes; i++) sum += v->seen[i];
  }
  stz_free(v->seen);
  *mean = sum / ((double)foils * probes);
  return err;
}

// Mask, counts and the statistics of the scans.
static void count(stz_nbed *n) {
  const int patterns = n->scans * STZ_NBED_PATTERNS;
  double low = INFINITY, high = -INFINITY, squares = 0.0;
  for (int p = 0; p < patterns; p++) {
    low = fmin(low, n->density[p]);
    high = fmax(high, n->density[p]);
  }
  for (int p = 0; p < patterns; p++) {
    n->mask[p] = n->density[p] > 0.5 * (low + high);
    double *domain = n->counts_by_domain + p / STZ_NBED_PATTERNS * 4 + (n->mask[p] ? 0 : 2);
    domain[0] += n->bragg[p];
    domain[1] += 1.0;
    n->counts[p / STZ_NBED_PATTERNS] += n->bragg[p];
    n->bragg_mean += n->bragg[p];
  }
  n->bragg_mean /= patterns;
  for (int s = 0; s < n->scans; s++) {
    const double d = n->counts[s] / STZ_NBED_PATTERNS - n->bragg_mean;
    squares += d * d;
  }
  n->bragg_scatter = n->scans > 1 ? sqrt(squares / (n->scans - 1)) : NAN;
}

stz_err stz_nbed_create(const stz_nbed_sample *sample, const stz_nbed_params *params, uint64_t seed, uint64_t level,
                        stz_nbed **nbed) {
  layout l;
  stz_columns columns = {0};
  float *survival = NULL;
  *nbed = NULL;
  STZ_TRY(layout_create(sample, params, &l));
  place_scans(params->scans, seed, level, &l);
  stz_err err = nbed_allocate(params->scans, nbed);
  if (err == STZ_OK) err = stz_columns_create(sample->grid, params->beam, &columns);
  if (err == STZ_OK) err = STZ_NEW(survival, stz_grid_local_sites(sample->grid));
  STZ_TRY_TO(done, err, stz_agree(stz_grid_comm(sample->grid), err));
  STZ_TRY_TO(done, err,
             stz_survival(sample->grid, sample->event_count, sample->stz_volume_nm3, sample->order.loss, survival));
  (*nbed)->displaced = l.layers > 1;
  survey v = {.sample = sample, .l = &l, .nbed = *nbed};
  STZ_TRY_TO(done, err, diffract(&v));
  for (int layer = 0; layer < l.layers; layer++) {
    STZ_TRY_TO(done, err, stz_agree(stz_grid_comm(sample->grid), stz_stage_look()));
    project(&v, layer, survival, &columns);
  }
  STZ_TRY_TO(done, err, expect(&v, survival, &columns, &(*nbed)->bragg_expected));
  count(*nbed);
done:
  stz_free(survival);
  stz_columns_destroy(&columns);
  if (err != STZ_OK) stz_nbed_destroy(nbed);
  return err;
}
