// SPDX-License-Identifier: GPL-3.0-or-later
//
// Estimates of memory and cost before a run: sizes of the fields, typical speeds of one core.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "elastic/contrast.h"
#include "io/field.h"
#include "kmc/kmc.h"
#include "load/load.h"
#include "micro/micro.h"
#include "observe/history.h"
#include "observe/observer.h"
#include "sim/sim.h"
#include "sim/thermal.h"
#include "stz/modes.h"

// Measured on one core of a processor of 2024 with AVX-512, s: the start; per site, the set-up of the glass, a row of
// the history, a level of scans and statistics.
static const double START = 0.03, SETUP = 0.9e-6, ROW = 1.4e-8, LEVEL = 3.5e-7;

// Of a film: an event's time over that in a periodic box; s per wave vector and pair of layers of its kernel table.
static const double FILM_EVENT = 1.4, FILM_PAIR = 4.5e-6, FILM_MORE = 1.1; // MORE: work space of its making
// Of a fast engine: s per wave vector and pair of layers of the coarse part, and per layer.
static const double FILM_COARSE = 1.5e-6, FILM_LAYER = 0.016;

// An event's time over that with uniform moduli, of the direct engine and of the others.
static const double CONTRAST_DIRECT = 1.25, CONTRAST_OTHER = 1.1;
// Exact fields: s per site and event of the direct engine; per event of the others, at a tolerance of 1 MPa.
static const double EXACT_FIELD = 5e-6, EXACT_SHARE = 2e-4;

// A kernel that is made again, with the fields and energies about it, beside the engine's set-up: s per site.
static const double REMAKE = 1.4e-6;

static const double FLOW_STRESS_GPA = 3.25;

static stz_course course_of(const stz_config *config) {
  stz_course c = {.young_GPa = config->elastic.young_GPa, .flow_GPa = FLOW_STRESS_GPA};
  for (int i = 0; i < config->segments; i++) stz_segment_follow(&config->protocol[i], &c);
  return c;
}

// While the values of a file go by.
typedef struct given {
  const stz_config *config;
  int64_t phases[2], count[STZ_FIELD_BINS]; // sites of each phase, and of each bin of the fraction from 0 to 1
  double sum[STZ_FIELD_BINS], least, most;
} given;

static stz_err look(void *context, int64_t first, int64_t count, const double *values) {
  given *seen = context;
  STZ_TRY(stz_micro_check_given(seen->config->micro.values, seen->config->lattice.cells, first, count, values));
  for (int64_t i = 0; i < count; i++) {
    const int phase = stz_micro_phase(values[i]);
    const int bin = (int)fmin(fmax(values[i] * STZ_FIELD_BINS, 0.0), STZ_FIELD_BINS - 1);
    if (phase >= 0) seen->phases[phase]++;
    seen->least = fmin(seen->least, values[i]);
    seen->most = fmax(seen->most, values[i]);
    seen->count[bin]++;
    seen->sum[bin] += values[i];
  }
  return STZ_OK;
}

static void conclude(const given *seen, stz_field_found *found) {
  const stz_micro_params *micro = &seen->config->micro;
  const int *n = seen->config->lattice.cells;
  const int64_t sites = (int64_t)n[0] * n[1] * n[2];
  found->read = true;
  found->least = seen->least;
  found->most = seen->most;
  found->phases = stz_micro_are_phases(micro->values, seen->phases[0], seen->phases[1], sites);
  for (int bin = 0; bin < STZ_FIELD_BINS; bin++) {
    const double mean = seen->count[bin] > 0 ? seen->sum[bin] / (double)seen->count[bin] : 0.0;
    found->mean += seen->sum[bin] / (double)sites;
    found->share[bin] = (double)seen->count[bin] / (double)sites;
    found->g[bin] =
        found->phases ? (mean > 0.5 ? 1.0 : -1.0) : (mean - micro->nickel_fraction) / micro->nickel_amplitude;
  }
}

static stz_err look_at_damage(void *context, int64_t first, int64_t count, const double *values) {
  const stz_config *config = ((const given *)context)->config;
  return stz_glass_check_damage(&config->barriers, config->lattice.cells, first, count, values);
}

static stz_err look_at_rise(void *context, int64_t first, int64_t count, const double *values) {
  const stz_config *config = ((const given *)context)->config;
  return stz_glass_check_rise(config->lattice.cells, first, count, values);
}

// Of the fields beside the microstructure: whether their values will do.
static stz_err check_barriers(const stz_config *config) {
  given seen = {.config = config};
  stz_field_look *const looks[] = {[STZ_GIVEN_DAMAGE] = look_at_damage, [STZ_GIVEN_RISE] = look_at_rise};
  for (stz_given_field i = STZ_GIVEN_DAMAGE; i < STZ_GIVEN_FIELDS; i++) {
    const stz_field field = {config->given[i].path, config->given[i].dataset, ""};
    if (!stz_config_reads(config, i)) continue;
    STZ_TRY(stz_blame(config->given[i].place, stz_field_check(&field, config->lattice.cells, looks[i], &seen, NULL)));
  }
  return STZ_OK;
}

bool stz_sim_varies(const stz_config *config) {
  return config->elastic.contrast > 0.0 && config->elastic.contrast_model != STZ_CONTRAST_NONE;
}

stz_err stz_sim_check_ranks(const stz_config *config, int ranks) {
  const bool exact = config->elastic.contrast > 0.0 && config->elastic.contrast_model == STZ_CONTRAST_EXACT;
  if (stz_engine_needs_of(config->kmc.engine).ranks == 1 || ranks == 1) return STZ_OK;
  if (exact) {
    return stz_fail(STZ_EINPUT,
                    "elasticity.contrast_model: got \"exact\" on %d ranks, needs one rank with kmc.engine = \"direct\"",
                    ranks);
  }
  return stz_grid_takes(&config->lattice, ranks);
}

stz_err stz_sim_check_files(MPI_Comm comm, const stz_config *config, stz_field_found *found) {
  const stz_given *g = &config->given[STZ_GIVEN_MICRO];
  const bool root = stz_comm_rank(comm) == 0;
  stz_err err = STZ_OK;
  memset(found, 0, sizeof *found);
  if (root && stz_config_reads(config, STZ_GIVEN_MICRO)) {
    given seen = {.config = config, .least = INFINITY, .most = -INFINITY};
    const stz_field field = {g->path, g->dataset, stz_micro_axes(&config->micro)};
    err = stz_field_check(&field, config->lattice.cells, look, &seen, found->axes);
    err = stz_blame(config->given[STZ_GIVEN_MICRO].place, err);
    if (err == STZ_OK) conclude(&seen, found);
    if (err == STZ_OK && stz_sim_varies(config) && !found->phases) {
      const stz_micro_params *micro = &config->micro;
      err = stz_contrast_check(config->elastic.contrast,
                               (found->least - micro->nickel_fraction) / micro->nickel_amplitude);
    }
  }
  if (root && err == STZ_OK) err = check_barriers(config);
  return stz_agree(comm, err);
}

static void describe_modes(const stz_config *config, stz_estimate *estimate) {
  static stz_modes modes; // too large for a stack
  stz_modes_init(&modes, STZ_ORIENTATION_ALIGNED, 0);
  if (config->stz.catalogue.count > 0) stz_modes_replace(&modes, &config->stz.catalogue);
  estimate->modes = modes.count;
  stz_modes_isotropy(&modes, &estimate->modes_least, &estimate->modes_most);
}

// The time that a segment takes, NAN if the input does not tell.
static double time_of(const stz_segment *segment) {
  const double released = segment->type == STZ_SEGMENT_ACTUATOR ? segment->release_s : 0.0;
  if (isfinite(segment->duration_s)) return released + segment->duration_s;
  const bool pulled = segment->type == STZ_SEGMENT_STRAIN_RATE && isfinite(segment->until_strain);
  return pulled ? fabs(segment->until_strain / segment->rate_per_s) : NAN;
}

// More events than these, and than these times what the strain needs, and time hardly goes by.
static const double MANY = 1e8, MUCH = 1e3;
static const double SPREAD = 100.0; // by which internal stresses may raise rates

// What the rates say to what the strain needs: no more events than the rates allow, and whether they allow far more.
static stz_err compare_with_rates(const stz_config *config, double largest_strain, const stz_field_found *found,
                                  stz_estimate *estimate) {
  stz_thermal *thermal = NULL;
  double most = 0.0, first = 0.0, steady = 0.0, other, last_held = NAN, last_kelvin = NAN;
  const double needed = estimate->events;
  estimate->slow = -1;
  STZ_TRY(stz_thermal_create(config, found, &thermal));
  estimate->floor_fraction = stz_thermal_floor(thermal);
  for (int i = 0; i < config->segments; i++) {
    const stz_segment *s = &config->protocol[i];
    const double held = s->type == STZ_SEGMENT_CREEP && isfinite(s->stress_GPa) ? fabs(s->stress_GPa) : 0.0;
    const double kelvin = fmax(s->temperature_K, s->temperature_end_K), time = time_of(s);
    if (held != last_held || kelvin != last_kelvin) { // long protocols repeat themselves
      stz_thermal_rates(thermal, kelvin, fmax(held, config->elastic.young_GPa * largest_strain), &first, &other);
      stz_thermal_rates(thermal, kelvin, held, &other, &steady);
      last_held = held;
      last_kelvin = kelvin;
    }
    most += isnan(time) ? INFINITY : SPREAD * first * time;
    const double events = steady * time * (s->temperature_end_K > s->temperature_K ? 0.1 : 1.0); // hot for a part
    if (!(events > MANY && events > MUCH * needed && events > estimate->slow_events)) continue;
    estimate->slow = i;
    estimate->slow_events = events;
  }
  estimate->events = fmin(needed, most);
  stz_thermal_destroy(&thermal);
  return STZ_OK;
}

// Memory of `count` blocks of so many bytes per site.
static double blocks_of(const double *bytes, int count, double sites) {
  double sum = 0.0;
  for (int i = 0; i < count; i++) sum += (double)stz_alloc_bytes((size_t)(bytes[i] * sites));
  return sum;
}
#define BLOCKS(sites, ...)                                                                                             \
  blocks_of((const double[]){__VA_ARGS__}, (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), sites)

static double clusters_of(const stz_config *config) { // per nm^3
  return stz_order_density(&config->order, config->nbed.foil_nm, config->nbed.probe_nm);
}

static const stz_strain_levels *statistics_of(const stz_config *config) {
  return config->statistics_strains.count > 0 ? &config->statistics_strains : &config->nbed_strains;
}

// The most that a rank with `sites` sites holds: at the end of the set-up of the glass, with the microstructure and the
// noise's transform; or at a level, with a transform for the correlations; or between levels.
static double memory_of(const stz_config *config, double sites, double volume, double engine) {
  static const double PROGRAM = 2.6e7; // with its libraries
  const bool plain = config->micro.type == STZ_MICRO_UNIFORM, matched = config->micro.control != STZ_CONTROL_NONE;
  double glass = BLOCKS(sites, 4, 4, 4, 4, 4, 20, 4, 2, 4, 2, 1); // the fields
  glass += (double)stz_alloc_bytes((size_t)(clusters_of(config) * volume * sizeof(stz_cluster)));
  if (config->barriers.softening_eV > 0.0) glass += BLOCKS(sites, 4, 4);
  if (config->stz.quenched_strain > 0.0) glass += BLOCKS(sites, 20);
  const double transform = BLOCKS(sites, 8, 8); // what is exchanged between ranks, and a spectrum
  const double micro =
      BLOCKS(sites, 8, 8) + (plain ? 0.0 : BLOCKS(sites, 8, 8)) + (matched ? BLOCKS(sites, 8, 8) : 0.0);
  const double set_up = micro + transform + BLOCKS(sites, 8);
  const double level = statistics_of(config)->count > 0 ? transform + BLOCKS(sites, 8) : 0.0;
  return PROGRAM + glass + fmax(set_up, engine + level);
}

// Rows of the history: on a logarithmic grid of times from 1 s on, and with the strain.
static double rows_of(const stz_config *config, double strain) {
  double rows = fmax(0.0, strain) / config->history.strain_step;
  for (int i = 0; i < config->segments; i++) {
    const double time = time_of(&config->protocol[i]);
    rows += 2.0 + config->history.points_per_decade * (isnan(time) ? 5.0 : log10(fmax(1.0, time)));
  }
  return rows;
}

// A film's kernel table, and what it costs to make it and to read it.
static void add_film(const int cells[3], int ranks, stz_engine_cost *cost) {
  const double pairs = (double)cells[2] * cells[2], waves = 0.25 * cells[0] * cells[1];
  cost->bytes += FILM_MORE * stz_film_table_bytes(cells);
  cost->event_s *= FILM_EVENT;
  cost->setup_s += FILM_PAIR * waves * pairs * ranks / ((double)cells[0] * cells[1] * cells[2]);
}

// The field of moduli that vary is found on the first rank, before the engine takes its memory.
static void add_contrast(const stz_config *config, double sites, int ranks, stz_engine_cost *cost) {
  cost->event_s *= config->kmc.engine == STZ_ENGINE_DIRECT ? CONTRAST_DIRECT : CONTRAST_OTHER;
  cost->setup_s += STZ_CONTRAST_SETUP_S * ranks;
  const bool exact = config->elastic.contrast_model == STZ_CONTRAST_EXACT;
  const double work = stz_contrast_work_bytes(sites), tolerance = config->kmc.tolerance_MPa;
  cost->bytes = stz_contrast_bytes(sites / ranks) + (exact ? cost->bytes + work : fmax(cost->bytes, work));
  if (exact)
    cost->event_s +=
        config->kmc.engine == STZ_ENGINE_DIRECT ? EXACT_FIELD * sites : EXACT_SHARE / (tolerance * tolerance);
}

// Of a fast engine: tables of the layers next to the faces (of two levels; near images), and what they are made of,
// with the operator of the coarse part between all layers or waves of the images, or, later, the operator of the
// surfaces with its work space. An event costs more where its images are near.
static void add_fast_film(const int cells[3], stz_engine_cost *cost) {
  const double nz = cells[2], special = fmin(nz, 64.0), near = fmin(nz, 24.0);
  const double waves = (0.5 * cells[0] + 1.0) * (0.5 * cells[1] + 1.0), sites = nz * cells[0] * cells[1];
  double rows = 0.0, nodes = 0.0;
  for (int h = 2; h <= 4; h += 2) {
    const double plane = (fmin(8.0 * h, 0.5 * cells[0]) + 1.0) * (fmin(8.0 * h, 0.5 * cells[1]) + 1.0);
    rows += plane;
    nodes += plane * (special / h + 3.0);
  }
  const double tables = 802.0 * special * rows + 2.0e5 * near, layers = fmin(nz, 16.0);
  const double images = 100.0 * special * nodes + 28800.0 * special * special;
  const double made = images + fmax(200.0 * special * waves, 248.0 * nz * nz);
  const double surface = 4.0 * waves * (12.5 * layers * layers + 40.0 * layers + 12.0 * (nz + 16.0)) + 20.0 * sites;
  const double coarse = (0.0625 * cells[0] + 1.0) * (0.0625 * cells[1] + 1.0);
  cost->bytes += tables + fmax(made, surface);
  cost->event_s *= 1.3 + 10.0 / (nz + 4.0);
  cost->setup_s +=
      (FILM_PAIR * waves * 0.5 * special * special + FILM_COARSE * coarse * nz * nz + FILM_LAYER * nz) / sites;
}

stz_err stz_sim_estimate(const stz_config *config, int ranks, const stz_field_found *found, stz_estimate *estimate) {
  const int *cells = config->lattice.cells;
  const double a = config->lattice.spacing_nm, sites = (double)cells[0] * cells[1] * cells[2];
  const stz_course c = course_of(config);
  // Events of mean Schmid factor about 0.4 carry the plastic strain; some are spent back and forth.
  const double volume = sites * a * a * a;
  const double plastic = isfinite(c.plastic) ? fmax(c.plastic, 0.005) + c.to_and_fro : 0.0;
  estimate->events = 1.1 * plastic * volume / (0.4 * config->stz.gamma0 * config->stz.volume_nm3);
  estimate->slow_events = 0.0;
  STZ_TRY(compare_with_rates(config, c.largest, found, estimate));
  describe_modes(config, estimate);
  stz_engine_cost cost;
  const int usable = stz_engine_needs_of(config->kmc.engine).ranks;
  if (usable > 0 && ranks > usable) ranks = usable;
  stz_kmc_cost(config->kmc.engine, sites, ranks, config->stz.orientation == STZ_ORIENTATION_RANDOM, &cost);
  const bool direct = config->kmc.engine == STZ_ENGINE_DIRECT;
  if (config->lattice.boundary == STZ_BOUNDARY_FILM && direct) add_film(cells, ranks, &cost);
  if (config->lattice.boundary == STZ_BOUNDARY_FILM && !direct) add_fast_film(cells, &cost);
  if (stz_sim_varies(config)) {
    add_contrast(config, sites, ranks, &cost);
  }
  estimate->ranks = ranks;
  const double rows = rows_of(config, c.largest), levels = statistics_of(config)->count;
  const bool follows = config->elastic.finite_strain == STZ_FINITE_BOX;
  estimate->kernels = follows ? floor(plastic / config->elastic.rebuild_strain) : 0.0;
  estimate->kernel_s = (REMAKE + cost.setup_s) * sites;
  estimate->seconds = START + estimate->events * cost.event_s + estimate->kernels * estimate->kernel_s +
                      (SETUP + cost.setup_s + rows * ROW + levels * LEVEL) * sites / ranks;
  estimate->bytes_per_rank = memory_of(config, sites / ranks, volume / ranks, cost.bytes);
  estimate->file_bytes = rows * stz_group_width(&stz_history_group) * sizeof(double) + sites * 5.0 * sizeof(float) +
                         config->nbed_strains.count * config->nbed.scans * 100.0 * 18.0 +
                         (config->avalanches ? 63.0 * estimate->events : 0.0) +
                         (config->events ? 36.0 * estimate->events : 0.0);
  return STZ_OK;
}

static void print_beyond(const stz_strain_levels *levels, double largest, const char *what, FILE *out) {
  bool some = false;
  for (int i = 0; i < levels->count; i++) {
    if (levels->values[i] <= largest + 1e-12) continue;
    if (!some) fprintf(out, "# %s that the protocol does not reach: ", what);
    fprintf(out, "%s%g", some ? ", " : "", levels->values[i]);
    some = true;
  }
  if (some) fputc('\n', out);
}

void stz_sim_print_unreachable(const stz_config *config, FILE *out) {
  const stz_course c = course_of(config);
  for (int o = 0; o < STZ_OBSERVER_COUNT; o++) {
    const stz_observer *observer = stz_observers[o];
    if (!observer->strains || (observer->applies && !observer->applies(config))) continue;
    print_beyond(observer->strains(config), c.largest, observer->strains_name, out);
  }
}
