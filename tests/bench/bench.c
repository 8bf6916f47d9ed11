// SPDX-License-Identifier: GPL-3.0-or-later
//
// Speed of the engine on one lattice: a record of JSON on one line, for run/bench. Not a test: it has no verdict.
//
//   bench CELLS random|aligned SECONDS direct|multilevel|points|film LAYERS|team WORKERS|moduli PERCENT|
//         points_team WORKERS|direct_moduli PERCENT
//
// Two samples in turns, on one rank:
//   film           a film of so many layers, as wide as gives it the sites of the periodic box, against that box
//   team           the multilevel engine with a team of so many threads against it alone, the same events; wall time
//   points_team    the same of the points engine
//   points         the points engine against the multilevel engine, each on a sample of its own from the same state
//   moduli         moduli that vary by so many per cent against uniform ones, by the multilevel engine
//   direct_moduli  the same by the direct engine
//
// Creep at 3.3 GPa from a state that the multilevel engine has developed: 0.2 events a site where it runs (one rank, no
// more than 128^3 sites), else a while. Beside events a second it times, in the same
// run and on the same data, what a pass consists of: the kernel's rows and their addition, and the rates; and as
// yardsticks the bare exponential of the rates out of the cache, and the memory's bandwidth (a triad, as in STREAM). Of
// the multilevel engine: what it did an event, its parts, and its stress and law against the operator at the end.
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/target.h"
#include "base/units.h"
#include "kmc/multilevel/multilevel.h"
#include "kmc/points/ahead.h"
#include "laws.h"
#include "stz/power2.h"
#include "stz/rates.h"

typedef struct bench {
  stz_grid *grid;
  stz_elastic *elastic;
  stz_contrast *contrast; // NULL: uniform moduli
  stz_glass *glass;
  stz_kmc *kmc;
  stz_mean_stress mean;
  double setup;            // of the kernel and the engine, s
  double developed;        // events before
  stz_mean_stress *copies; // of the mean stress, for events found ahead
} bench;

static void check(stz_err err) {
  if (err == STZ_OK) return;
  fprintf(stderr, "bench: %s\n", stz_error_message());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

// Processor time of this process, s: what other work on a shared machine takes does not count.
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void step(bench *b) {
  stz_event event;
  bool found;
  double strain[6];
  check(stz_kmc_next(b->kmc, &b->mean, 1e300, &event, &found));
  stz_kmc_fire(b->kmc, &event, strain);
  b->mean.t0 = event.time_s;
}

// The load stays: its copies differ by their time.
static bool begin_copy(void *context, int copy, stz_mean_stress *mean, double *until) {
  const bench *b = context;
  b->copies[copy] = *mean = b->mean;
  *until = 1e300;
  return true;
}

static bool yield_copy(void *context, int copy, const stz_event *event, const double strain[6], stz_mean_stress *mean,
                       double *until) {
  const bench *b = context;
  (void)strain;
  b->copies[copy].t0 = event->time_s;
  *mean = b->copies[copy];
  *until = 1e300;
  return true;
}

static void go_ahead(bench *b) {
  const int copies = stz_team_workers(stz_grid_team(b->grid)) + 1;
  check(STZ_NEW(b->copies, copies));
  check(stz_kmc_go_ahead(b->kmc, &(stz_kmc_load){b, copies, begin_copy, yield_copy}));
}

// Events by the multilevel engine before that of the measurement is made.
static void develop(bench *b, stz_kmc_params kmc) {
  const double sites = (double)stz_grid_sites(b->grid);
  kmc.engine = STZ_ENGINE_MULTILEVEL;
  b->developed = 0.0;
  if (stz_grid_ranks(b->grid) > 1 || sites > 128.0 * 128.0 * 128.0) return;
  if (!stz_engine_fits(STZ_ENGINE_MULTILEVEL, stz_grid_cells(b->grid), stz_grid_film(b->grid))) return;
  check(stz_kmc_create(&kmc, b->glass, b->elastic, 1, &b->kmc));
  for (; b->developed < 0.2 * sites; b->developed += 1.0) step(b);
  stz_kmc_destroy(&b->kmc);
}

// Width of a film with the sites of a box of n cells per axis, as near as multiples of 8 come.
static int film_width(int n, int layers) {
  const int width = 8 * (int)lround(sqrt((double)n * n * n / layers) / 8.0);
  return width < 32 ? 32 : width;
}

// `layers`: of a film of the width n, 0: a periodic box. `contrast`: of the moduli, 0: uniform.
static void create(bench *b, int n, int layers, double contrast, stz_orientation orientation, stz_engine_kind engine,
                   stz_team *helpers) {
  const stz_lattice_params lattice = {.cells = {n, n, layers ? layers : n},
                                      .spacing_nm = 0.58,
                                      .boundary = layers ? STZ_BOUNDARY_FILM : STZ_BOUNDARY_PERIODIC};
  const stz_elastic_params elastic = {
      .young_GPa = 72.0, .poisson = 0.4, .contrast = contrast, .contrast_model = STZ_CONTRAST_DRESSED};
  const stz_micro_params waves = {.type = STZ_MICRO_RANDOM_WAVES,
                                  .wavelength_nm = 2.5,
                                  .bandwidth = 0.12,
                                  .nickel_fraction = 0.35,
                                  .nickel_amplitude = 0.15,
                                  .sharpness = 1.5};
  const stz_stz_params stz = {.volume_nm3 = 1.7,
                              .gamma0 = 0.115,
                              .activation_fraction = 0.5,
                              .orientation = orientation,
                              .attempt_frequency_per_s = 1e13};
  const stz_barrier_params barriers = {.mean_eV = 2.352,
                                       .width_eV = 0.10,
                                       .cutoff_sigma = 2.5,
                                       .composition_eV = 0.25,
                                       .interface_eV = 0.10,
                                       .floor_eV = 0.2,
                                       .redraw = STZ_REDRAW_STZ};
  const stz_order_params order = {.bragg_fraction = 0.6, .acceptance = 0.1, .cluster_radius_nm = 0.5, .loss = 0.6};
  stz_kmc_params kmc = {.engine = engine, .tolerance_MPa = 1.2};
  stz_spectral *spectral;
  stz_micro *micro;
  check(stz_grid_create(MPI_COMM_WORLD, &lattice, &b->grid));
  stz_grid_employ(b->grid, helpers);
  const double begin = now();
  check(stz_elastic_create(b->grid, &elastic, stz.volume_nm3, &b->elastic));
  if (!layers) check(stz_elastic_tabulate(b->elastic));
  b->setup = now() - begin;
  check(stz_spectral_create(b->grid, &spectral));
  check(stz_micro_create(b->grid, spectral, &waves, NULL, 1, &micro));
  check(stz_glass_create(b->grid, spectral, micro, &stz, &barriers, &order, 15.0, 0.4, 1, NULL, &b->glass));
  stz_micro_destroy(&micro);
  stz_spectral_destroy(&spectral);
  b->contrast = NULL;
  if (contrast > 0.0)
    check(stz_contrast_create(b->grid, b->elastic, &elastic, stz_glass_structure(b->glass), &b->contrast));
  kmc.contrast = b->contrast;
  b->mean = (stz_mean_stress){.temperature_K = 295.0, .stress = {3.3 * STZ_GPA}};
  develop(b, kmc);
  const double glass = now();
  check(stz_kmc_create(&kmc, b->glass, b->elastic, 1, &b->kmc));
  b->setup += now() - glass;
  go_ahead(b);
}

static void destroy(bench *b) {
  stz_kmc_destroy(&b->kmc);
  stz_free(b->copies);
  stz_contrast_destroy(&b->contrast);
  stz_glass_destroy(&b->glass);
  stz_elastic_destroy(&b->elastic);
  stz_grid_destroy(&b->grid);
}

static stz_team *team; // of the second sample; NULL: none

// Seconds an event: of processor time on one rank, of wall time on several or with a team, where waiting counts. Lasts
// at least `seconds` of wall time; all ranks stop together, as rank 0 says.
static double time_events(bench *b, double seconds) {
  const double begin = MPI_Wtime(), begin_now = now();
  int events = 0;
  for (int go = 1; go;) {
    step(b);
    events++;
    go = MPI_Wtime() - begin < seconds || events < 5;
    MPI_Bcast(&go, 1, MPI_INT, 0, MPI_COMM_WORLD);
  }
  return (stz_grid_ranks(b->grid) == 1 && !team ? now() - begin_now : MPI_Wtime() - begin) / events;
}

// Seconds of the fastest pass of the rates alone.
static double time_rates(const bench *b, int passes) {
  const int64_t sites = stz_grid_local_sites(b->grid); // a multiple of 64
  stz_law law;
  float rates[STZ_RATES_MOST];
  stz_law_set(&law, stz_glass_stz(b->glass), stz_glass_modes(b->glass), b->mean.temperature_K, b->mean.stress);
  double best = 1e300;
  for (int pass = 0; pass < passes; pass++) {
    const double begin = now();
    for (int64_t at = 0; at < sites; at += STZ_RATES_MOST) {
      const float *stress[5];
      const int n = sites - at < STZ_RATES_MOST ? (int)(sites - at) : STZ_RATES_MOST;
      for (int c = 0; c < 5; c++) stress[c] = stz_kmc_stress(b->kmc, c) + at;
      (void)stz_rates_sum(&law, stz_glass_modes(b->glass), n, stress, stz_glass_barrier(b->glass) + at,
                          stz_glass_rotation(b->glass) + at, rates);
    }
    best = fmin(best, now() - begin);
  }
  return best;
}

// Seconds of the fastest pass of the kernel's rows and their addition to five fields, for one event after another.
static double time_add(const bench *b, int passes) {
  const int *cells = stz_grid_cells(b->grid), nx = cells[0], ny = cells[1], nz = cells[2], rows = STZ_STRIP_SITES / nz;
  const size_t stride = stz_field_stride(b->grid);
  const float strain[5] = {0.01f, -0.02f, 0.03f, 0.01f, 0.02f};
  float *field;
  check(STZ_NEW(field, 5 * stride));
  double best = 1e300;
  for (int pass = 0; pass < passes; pass++) {
    const double begin = now();
    const int origin[3] = {(5 * pass + nx) % nx, (11 * pass + ny) % ny, (17 * pass + nz) % nz};
    for (int x = 0; x < stz_grid_planes(b->grid); x++) {
      for (int y = 0; y < ny; y += rows) {
        float *strip[5];
        for (int c = 0; c < 5; c++) strip[c] = field + (size_t)c * stride + (size_t)(x * ny + y) * (size_t)nz;
        stz_elastic_add_strip(b->elastic, origin, strain, stz_grid_first_plane(b->grid) + x, y, rows, strip);
      }
    }
    best = fmin(best, now() - begin);
  }
  stz_free(field);
  return best;
}

enum { CACHED = 1024 };

STZ_MULTIVERSION(static void bare_exponentials(const float *restrict x, float *restrict sum)) {
#pragma omp simd
  for (int z = 0; z < CACHED; z++) {
    float s = 0.0f;
#pragma GCC unroll 15
    for (int m = 0; m < STZ_MODES; m++) s += stz_power2(x[z] - (float)m);
    sum[z] = s;
  }
}

// Nanoseconds of one exponential, the best of many trials.
static double time_exponential(void) {
  static float x[CACHED], sum[CACHED];
  double best = 1e300;
  for (int z = 0; z < CACHED; z++) x[z] = -0.1f * (float)z;
  for (int trial = 0; trial < 200; trial++) {
    const double begin = now();
    for (int i = 0; i < 20; i++) {
      bare_exponentials(x, sum);
      x[i] += sum[i] * 1e-30f;
    }
    const double seconds = (now() - begin) / 20;
    best = fmin(best, seconds);
  }
  return 1e9 * best / (CACHED * STZ_MODES);
}

// Bandwidth of a = b + s c over arrays far larger than the caches, GB/s (three streams counted, as STREAM does).
static double time_triad(void) {
  const size_t n = 1 << 23;
  double *a, *b, *c, best = 1e300;
  check(STZ_NEW(a, n));
  check(STZ_NEW(b, n));
  check(STZ_NEW(c, n));
  for (int trial = 0; trial < 5; trial++) {
    const double begin = now();
    for (size_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
    const double seconds = now() - begin;
    if (seconds < best) best = seconds;
    b[trial] = a[trial];
  }
  stz_free(a);
  stz_free(b);
  stz_free(c);
  return 24e-9 * (double)n / best;
}

// Times everything; rank 0 prints the record.
static void measure(bench *b, int n, const char *orientation, double seconds) {
  (void)time_events(b, 0.5 * seconds); // develops the state, warms the caches
  const double event = time_events(b, seconds);
  const double sites = (double)stz_grid_sites(b->grid), local = (double)stz_grid_local_sites(b->grid);
  const int passes = (int)(0.2 * seconds / event) + 1;
  const double rates = time_rates(b, passes), add = time_add(b, passes);
  const double bare = time_exponential(), triad = time_triad(), each = 1e9 * rates / (local * STZ_MODES);
  // Traffic of an event: the stress read and written, barriers and rotations read, once each.
  const double traffic = local * (5 * 8 + 4 + 2) * 1e-9 / event;
  stz_kmc_stats stats;
  stz_kmc_stats_get(b->kmc, &stats);
  if (stz_grid_rank(b->grid) != 0) return;
  printf("{\"engine\": \"direct\", \"orientation\": \"%s\", \"cells\": %d, \"ranks\": %d, \"tiled\": false, "
         "\"window\": null, \"events_per_s\": %.5g, \"state_events_per_site\": %.3g, \"share_add\": %.3f, "
         "\"share_rates\": %.3f, \"ns_per_exponential\": %.4f, \"ns_bare_exponential\": %.4f, "
         "\"speed_of_bare\": %.3f, \"bytes_per_site\": %.1f, \"traffic_GB_s\": %.2f, \"triad_GB_s\": %.2f}\n",
         orientation, n, stz_grid_ranks(b->grid), 1.0 / event, (b->developed + (double)stats.events) / sites,
         add / event, rates / event, each, bare, bare / each,
         stz_kmc_bytes_per_site(b->kmc) + stz_fields_bytes_per_site(stz_glass_fields(b->glass)), traffic, triad);
}

// Microseconds a call of the engine's parts, at sites here and there. They leave its state in disorder: last of all.
typedef struct parts {
  double near, levels, converge, box, site, fold, refresh;
} parts;

static void site_of(const bench *b, int call, int site[3]) {
  stz_rng rng = stz_rng_stream(1, STZ_RNG_EVENTS, (uint64_t)call);
  stz_grid_coords(b->grid, (int64_t)stz_rng_below(&rng, (uint64_t)stz_grid_sites(b->grid)), site);
}

#define TIME(result, calls, call)                                                                                      \
  do {                                                                                                                 \
    const double begin = now();                                                                                        \
    for (int i = 0; i < (calls); i++) {                                                                                \
      int site[3];                                                                                                     \
      site_of(b, i, site);                                                                                             \
      call;                                                                                                            \
    }                                                                                                                  \
    (result) = 1e6 * (now() - begin) / (calls);                                                                        \
  } while (0)

static parts time_parts(const bench *b) {
  static float stress[5][512];
  static const float strain[5] = {0.01f, -0.02f, 0.03f, 0.01f, 0.02f};
  stz_multilevel *e = b->kmc->state;
  stz_exhausted *spent;
  parts p;
  TIME(p.near, 2000, (void)stz_near_add(e->near, site, strain, 0.0f, e->rows8, &spent));
  TIME(p.levels, 2000, stz_far_add(e->far, site, strain));
  TIME(p.converge, 20, stz_far_converge(e->far));
  p.converge /= (double)e->converge_every;
  TIME(p.box, 2000, stz_far_box(e->far, site, stress));
  TIME(p.site, 5000, stz_far_site(e->far, site, stress[0]));
  TIME(p.fold, 1000,
       (void)stz_ml_block_rates(b->kmc, e, &e->law, stz_ml_number(e, site) / STZ_ML_SITES, &e->rooms[0], NULL));
  TIME(p.refresh, 1, stz_ml_recompute(b->kmc));
  p.refresh /= (double)e->recompute_every;
  return p;
}

static void measure_multilevel(bench *b, int n, const char *orientation, double seconds) {
  stz_kmc_stats first, s;
  const stz_multilevel *e = b->kmc->state;
  const double sites = (double)stz_grid_sites(b->grid);
  (void)time_events(b, seconds);
  stz_kmc_stats_get(b->kmc, &first);
  const double event = time_events(b, seconds);
  stz_kmc_stats_get(b->kmc, &s);
  const double events = (double)(s.events - first.events), since = (double)(s.events - e->head->recomputed);
  const laws law = compare_laws(b->kmc, &b->mean);
  const parts p = time_parts(b);
  printf("{\"engine\": \"multilevel\", \"orientation\": \"%s\", \"cells\": %d, \"ranks\": 1, \"tiled\": false, "
         "\"window\": null, \"events_per_s\": %.5g, \"state_events_per_site\": %.3g, \"bytes_per_site\": %.1f, "
         "\"candidates\": %.3f, \"squeezed\": %.3f, \"folds\": %.3f, \"bounds\": %.1f, \"violations\": %.3g, "
         "\"missed\": %.3g, \"since_recompute\": %.3f, \"error_MPa\": %.3f, \"rates_off\": %.2e, "
         "\"laws_apart\": %.5f, \"us_near\": %.2f, \"us_levels\": %.2f, \"us_converge\": %.2f, \"us_box\": %.2f, "
         "\"us_site\": %.3f, "
         "\"us_block_update\": %.2f, \"us_recompute\": %.2f, \"setup_s\": %.2f, "
         "\"tables_MB\": %.1f}\n",
         orientation, n, 1.0 / event, (b->developed + (double)s.events) / sites,
         stz_kmc_bytes_per_site(b->kmc) + stz_fields_bytes_per_site(stz_glass_fields(b->glass)),
         (double)(s.candidates - first.candidates) / events, (double)(s.squeezed - first.squeezed) / events,
         (double)(s.folds - first.folds) / events, (double)(s.bounds - first.bounds) / events,
         (double)s.violations / (double)s.events, s.missed / (double)s.events, since / (double)e->recompute_every,
         law.rms_MPa, law.own / law.exact - 1.0, law.apart, p.near, p.levels, p.converge, p.box, p.site, p.fold,
         p.refresh, b->setup, 1e-6 * (double)(e->split->bytes + stz_total_table_bytes(e->total)));
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// What finds events ahead in a sample; NULL: nothing does.
static stz_ahead *ahead_of(const bench *b) {
  const stz_multilevel *e = b->kmc->state;
  const bool points = b->kmc->engine->go_ahead != NULL;
  return points ? ((const stz_points *)e->selection.context)->ahead : NULL;
}

// Per event that was found in a window: how many were found, decisions made again, and processor time, us: of the tile
// that takes longest, and of what one worker does for all.
static void print_windows(stz_ahead_counts c, int workers) {
  const double events = (double)c.events;
  printf("{\"windows\": %.0f, \"workers\": %d, \"events_of_a_window\": %.2f, \"cut\": %.4f, \"alone\": %.4f, "
         "\"found\": %.3f, \"again\": %.3f, \"us_longest\": %.2f, \"us_common\": %.2f}\n",
         (double)c.windows, workers, events / (double)c.windows, (double)c.cut / (double)c.windows,
         (double)c.alone / (events + (double)c.alone), (double)c.found / events, (double)c.again / events,
         1e6 * c.longest_s / events, 1e6 * c.common_s / events);
}

enum { TURNS = 11 };

// Two samples in turns, `seconds` each: microseconds per event, the least and the median.
static void measure_turns(bench b[2], int n, const char *engine, const char *orientation, double seconds) {
  double us[2][TURNS];
  for (int i = 0; i < 2; i++) (void)time_events(&b[i], seconds);
  if (ahead_of(&b[1])) stz_ahead_time(ahead_of(&b[1]));
  for (int turn = 0; turn < TURNS; turn++) {
    for (int i = 0; i < 2; i++) us[i][turn] = 1e6 * time_events(&b[i], seconds);
  }
  for (int i = 0; i < 2; i++) qsort(us[i], TURNS, sizeof(double), ascending);
  stz_kmc_stats s[2];
  for (int i = 0; i < 2; i++) stz_kmc_stats_get(b[i].kmc, &s[i]);
  double per_event[5][2]; // candidates, those rejected by the slack, updates of blocks and of bounds, events missed
  for (int i = 0; i < 2; i++) {
    const double of[5] = {(double)s[i].candidates, (double)s[i].squeezed, (double)s[i].folds, (double)s[i].bounds,
                          s[i].missed};
    for (int k = 0; k < 5; k++) per_event[k][i] = of[k] / (double)s[i].events;
  }
  printf("{\"engine\": \"%s\", \"orientation\": \"%s\", \"cells\": %d, \"ranks\": %d, \"events_per_s\": %.5g, "
         "\"state_events_per_site\": %.3g, \"us_least\": [%.3f, %.3f], \"us_median\": [%.3f, %.3f], "
         "\"least_of_first\": %.3f, \"median_of_first\": %.3f, \"candidates\": [%.2f, %.2f], "
         "\"squeezed\": [%.2f, %.2f], \"folds\": [%.3f, %.3f], \"bounds\": [%.1f, %.1f], \"missed\": [%.2g, %.2g], "
         "\"bytes_per_site\": [%.1f, %.1f], \"sites\": [%.0f, %.0f], \"setup_s\": [%.1f, %.1f]}\n",
         engine, orientation, n, stz_team_workers(team), 1e6 / us[1][TURNS / 2],
         (b[1].developed + (double)s[1].events) / (double)stz_grid_sites(b[1].grid), us[0][0], us[1][0],
         us[0][TURNS / 2], us[1][TURNS / 2], us[1][0] / us[0][0], us[1][TURNS / 2] / us[0][TURNS / 2], per_event[0][0],
         per_event[0][1], per_event[1][0], per_event[1][1], per_event[2][0], per_event[2][1], per_event[3][0],
         per_event[3][1], per_event[4][0], per_event[4][1], stz_kmc_bytes_per_site(b[0].kmc),
         stz_kmc_bytes_per_site(b[1].kmc), (double)stz_grid_sites(b[0].grid), (double)stz_grid_sites(b[1].grid),
         b[0].setup, b[1].setup);
  if (ahead_of(&b[1])) print_windows(stz_ahead_count(ahead_of(&b[1])), stz_team_workers(team));
}

// What the fourth argument names: the engines of one sample, or of two that are measured in turns.
typedef struct kind {
  const char *name;
  bool turns, numbered; // a number follows
  stz_engine_kind first, second;
} kind;

static const kind *kind_of(int argc, char **argv) {
  static const kind kinds[] = {{"direct", false, false, STZ_ENGINE_DIRECT, STZ_ENGINE_DIRECT},
                               {"multilevel", false, false, STZ_ENGINE_MULTILEVEL, STZ_ENGINE_MULTILEVEL},
                               {"points", true, false, STZ_ENGINE_MULTILEVEL, STZ_ENGINE_POINTS},
                               {"film", true, true, STZ_ENGINE_MULTILEVEL, STZ_ENGINE_MULTILEVEL},
                               {"team", true, true, STZ_ENGINE_MULTILEVEL, STZ_ENGINE_MULTILEVEL},
                               {"points_team", true, true, STZ_ENGINE_POINTS, STZ_ENGINE_POINTS},
                               {"moduli", true, true, STZ_ENGINE_MULTILEVEL, STZ_ENGINE_MULTILEVEL},
                               {"direct_moduli", true, true, STZ_ENGINE_DIRECT, STZ_ENGINE_DIRECT}};
  for (const kind *k = kinds; argc >= 5 && k < kinds + sizeof kinds / sizeof *kinds; k++) {
    if (strcmp(argv[4], k->name) == 0 && argc == (k->numbered ? 6 : 5)) return k;
  }
  return NULL;
}

int main(int argc, char **argv) {
  bench b[2];
  MPI_Init(&argc, &argv);
  const kind *k = kind_of(argc, argv);
  const int n = k ? atoi(argv[1]) : 0, more = k && k->numbered ? atoi(argv[5]) : 0;
  if (n < 16 || (more > 0) != k->numbered) {
    fprintf(stderr, "usage: bench CELLS random|aligned SECONDS direct|multilevel|points|film LAYERS|team WORKERS|"
                    "points_team WORKERS|moduli PERCENT|direct_moduli PERCENT\n");
    MPI_Finalize();
    return 2;
  }
  const stz_orientation orientation =
      strcmp(argv[2], "aligned") == 0 ? STZ_ORIENTATION_ALIGNED : STZ_ORIENTATION_RANDOM;
  const int layers = strcmp(k->name, "film") == 0 ? more : 0;
  const double contrast = strstr(k->name, "moduli") ? 0.01 * more : 0.0;
  if (strstr(k->name, "team")) check(stz_team_create_local(more, &team));
  create(&b[0], n, 0, 0.0, orientation, k->first, NULL);
  if (k->turns) create(&b[1], layers ? film_width(n, layers) : n, layers, contrast, orientation, k->second, team);
  if (k->turns)
    measure_turns(b, n, k->name, argv[2], atof(argv[3]));
  else
    (k->first == STZ_ENGINE_DIRECT ? measure : measure_multilevel)(&b[0], n, argv[2], atof(argv[3]));
  for (int i = 0; i <= k->turns; i++) destroy(&b[i]);
  stz_team_destroy(&team);
  MPI_Finalize();
  return 0;
}
