// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/micro.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/units.h"
#include "micro/layers.h"
#include "micro/quench.h"
#include "micro/radial.h"
#include "micro/shuffle.h"
#include "micro/topology.h"
#include "micro/waves.h"
#include "rng/rng.h"

enum { SITES = 8192 }; // of a part of the team's work

struct stz_micro {
  const stz_grid *grid;
  int64_t sites; // local
  double *g, *composition;
  double *f, *interface; // NULL for uniform
  bool flat_layers;      // as made, not shuffled
  bool phases;           // given as a map of two
  stz_micro *matched;    // the structured field whose histogram is to be matched, or NULL
  bool frozen;           // without noise
};

// Where f comes from, before it has its scale: f = (values - level)/rms.
typedef struct raw {
  double rms, level, lambda;
} raw;

// The level above which the share `fraction` of the sites lies, f being in units of `rms`.
static double field_level(const stz_micro *m, double rms, double fraction) {
  double low = -16.0, high = 16.0;
  for (int step = 0; step < 60; step++) {
    const double middle = 0.5 * (low + high);
    long long above = 0;
    for (int64_t i = 0; i < m->sites; i++) above += m->f[i] / rms > middle;
    MPI_Allreduce(MPI_IN_PLACE, &above, 1, MPI_LONG_LONG, MPI_SUM, stz_grid_comm(m->grid));
    if ((double)above > fraction * (double)stz_grid_sites(m->grid))
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}

static double mean_square(const stz_micro *m, const double *values, double *scratch) {
  for (int64_t i = 0; i < m->sites; i++) scratch[i] = values[i] * values[i];
  return stz_grid_sum(m->grid, scratch) / (double)stz_grid_sites(m->grid);
}

typedef struct gradient {
  stz_micro *m;
  const stz_spectral *spectral;
  int axis;
  const double complex *spectrum;
  double complex *work;
  double *component;
} gradient;

static void derive(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const gradient *g = context;
  for (int64_t i = first; i < end; i++) {
    double k[3];
    stz_spectral_wave_vector(g->spectral, (size_t)i, k);
    g->work[i] = stz_complex(-k[g->axis] * cimag(g->spectrum[i]), k[g->axis] * creal(g->spectrum[i]));
  }
}

static void add_square(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const gradient *g = context;
  for (int64_t i = first; i < end; i++) g->m->interface[i] += g->component[i] * g->component[i];
}

static void take_root(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const gradient *g = context;
  for (int64_t i = first; i < end; i++) g->m->interface[i] = sqrt(g->m->interface[i]);
}

// |grad| of the field that belongs to `spectrum`, which holds nothing on the Nyquist planes, so that i k F is the
// gradient exactly. `work`: as long as the spectrum; `component`: one number per local site.
static stz_err gradient_of(stz_micro *m, stz_spectral *spectral, const double complex *spectrum, double complex *work,
                           double *component) {
  stz_team *team = stz_grid_team(m->grid);
  gradient g = {.m = m, .spectral = spectral, .spectrum = spectrum, .work = work, .component = component};
  for (int axis = 0; axis < 3; axis++) {
    STZ_TRY(stz_agree(stz_grid_comm(m->grid), stz_stage_on(axis / 3.0)));
    g.axis = axis;
    stz_team_run(team, (int64_t)stz_spectral_modes(spectral), SITES, derive, &g);
    stz_spectral_inverse(spectral, work, component);
    stz_team_run(team, m->sites, SITES, add_square, &g);
  }
  stz_team_run(team, m->sites, SITES, take_root, &g);
  return STZ_OK;
}

typedef struct profile {
  stz_micro *m;
  const stz_micro_params *params;
  const raw *from;
} profile;

static void set_profile(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const profile *p = context;
  const stz_micro *m = p->m;
  const raw *from = p->from;
  for (int64_t i = first; i < end; i++) {
    m->f[i] = m->f[i] / from->rms - from->level;
    const double smooth = stz_tanh(p->params->sharpness * m->f[i]);
    m->g[i] = p->params->profile != STZ_PROFILE_CUT ? smooth : m->f[i] > 0.0 ? 1.0 : -1.0;
    m->interface[i] *= (1.0 - smooth * smooth) * from->lambda / (2.0 * STZ_PI * from->rms);
  }
}

// The composition that follows from g.
static void set_composition(stz_micro *m, const stz_micro_params *params, bool balanced) {
  const double offset = balanced ? 0.0 : stz_grid_sum(m->grid, m->g) / (double)stz_grid_sites(m->grid);
  for (int64_t i = 0; i < m->sites; i++) {
    m->composition[i] = fmin(fmax(params->nickel_fraction + params->nickel_amplitude * (m->g[i] - offset), 0.0), 1.0);
  }
}

// From f and |grad f| of any scale to the sample's fields. grad g = sharpness (1 - g^2) grad f, without the aliasing
// that a transform of g would bring.
static void make_profile(stz_micro *m, const stz_micro_params *params, const raw *from) {
  const bool cut = params->profile == STZ_PROFILE_CUT;
  stz_team_run(stz_grid_team(m->grid), m->sites, SITES, set_profile, &(profile){m, params, from});
  const bool balanced = params->type == STZ_MICRO_RANDOM_WAVES && !cut; // g averages 0 but for the box's accident
  set_composition(m, params, balanced);
}

// random-waves and cahn-hilliard.
static stz_err make_spectral(stz_micro *m, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                             double complex *spectrum, double complex *work, double *scratch) {
  const bool waves = params->type == STZ_MICRO_RANDOM_WAVES;
  stz_radial *radial;
  STZ_TRY(waves ? stz_waves_fill(m->grid, spectral, params, seed, spectrum)
                : stz_quench_fill(m->grid, spectral, params, seed, spectrum));
  STZ_TRY(stz_radial_create(m->grid, spectral, spectrum, &radial));
  raw from = {.lambda = stz_radial_length(radial)};
  stz_radial_destroy(&radial);
  memcpy(work, spectrum, stz_spectral_modes(spectral) * sizeof *work);
  stz_spectral_inverse(spectral, work, m->f);
  STZ_TRY(stz_stage(stz_grid_comm(m->grid), "finding the interfaces"));
  STZ_TRY(gradient_of(m, spectral, spectrum, work, scratch));
  from.rms = sqrt(mean_square(m, m->f, scratch));
  if (!waves) from.level = field_level(m, from.rms, params->nickel_fraction);
  if (waves && params->profile == STZ_PROFILE_CUT) from.level = stz_normal_level(params->nickel_fraction);
  make_profile(m, params, &from);
  return STZ_OK;
}

static stz_err make_layers(stz_micro *m, const stz_micro_params *params) {
  raw from = {.rms = 1.0};
  STZ_TRY(stz_layers_fill(m->grid, params, m->f, &from.lambda));
  for (int64_t i = 0; i < m->sites; i++) {
    m->f[i] *= 2.0 * STZ_PI;
    m->interface[i] = 2.0 * STZ_PI / from.lambda;
  }
  m->flat_layers = params->control == STZ_CONTROL_NONE;
  make_profile(m, params, &from);
  return STZ_OK;
}

bool stz_micro_of_phases(const stz_micro *micro) {
  return micro->matched ? stz_micro_of_phases(micro->matched) : micro->phases;
}

// The phase of each site, counted over the box.
static bool are_phases(const stz_micro *m, stz_micro_values values, const double *given) {
  long long count[2] = {0, 0};
  for (int64_t i = 0; i < m->sites; i++) {
    const int phase = stz_micro_phase(given[i]);
    if (phase >= 0) count[phase]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, count, 2, MPI_LONG_LONG, MPI_SUM, stz_grid_comm(m->grid));
  return stz_micro_are_phases(values, count[0], count[1], stz_grid_sites(m->grid));
}

static void set_given(stz_micro *m, const stz_micro_params *params, const double *given) {
  for (int64_t i = 0; i < m->sites; i++) {
    m->composition[i] = fmin(fmax(given[i], 0.0), 1.0);
    m->f[i] = (m->composition[i] - params->nickel_fraction) / params->nickel_amplitude;
    if (m->phases) m->f[i] = given[i] > 0.5 ? 1.0 : -1.0;
    m->g[i] = m->f[i];
  }
  if (m->phases) set_composition(m, params, false);
}

// Makes the spectrum of g that of a field with a gradient: nothing on the Nyquist planes; steps between phases smoothed
// by a Gaussian to the slope that the smooth profile of a wave of length `lambda` has at its interfaces.
static void smooth_steps(const stz_micro *m, const stz_spectral *spectral, double lambda, double sharpness,
                         double complex *spectrum) {
  const int *n = stz_grid_cells(m->grid);
  const double width = m->phases ? sqrt(2.0 / STZ_PI) * lambda / (2.0 * STZ_PI * sharpness) : 0.0;
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int wave[3];
    double k[3];
    stz_spectral_wave(spectral, i, wave);
    stz_spectral_wave_vector(spectral, i, k);
    const bool edge = 2 * wave[0] == n[0] || 2 * wave[1] == n[1] || 2 * wave[2] == n[2];
    const double square = k[0] * k[0] + k[1] * k[1] + k[2] * k[2];
    spectrum[i] = edge ? 0.0 : spectrum[i] * exp(-0.5 * width * width * square);
  }
}

static stz_err take_given(stz_micro *m, stz_spectral *spectral, const stz_micro_params *params, const double *given,
                          double complex *spectrum, double complex *work, double *scratch) {
  stz_radial *radial;
  const stz_err err =
      stz_micro_check_given(params->values, stz_grid_cells(m->grid), stz_grid_first_site(m->grid), m->sites, given);
  STZ_TRY(stz_agree(stz_grid_comm(m->grid), err));
  m->phases = are_phases(m, params->values, given);
  set_given(m, params, given);
  stz_spectral_forward(spectral, m->g, spectrum);
  STZ_TRY(stz_radial_create(m->grid, spectral, spectrum, &radial));
  const double lambda = stz_radial_length(radial);
  stz_radial_destroy(&radial);
  smooth_steps(m, spectral, lambda, params->sharpness, spectrum);
  STZ_TRY(gradient_of(m, spectral, spectrum, work, scratch));
  for (int64_t i = 0; i < m->sites; i++) m->interface[i] *= lambda / (2.0 * STZ_PI * params->sharpness);
  return STZ_OK;
}

// Makes g a Gaussian field of its own mean and spectrum: the phases of its waves become those of white noise, which are
// independent and belong to a field of real numbers. The interface weight becomes its mean, as the field has none.
static void randomise_phases(stz_micro *m, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                             double complex *spectrum, double complex *work, double *scratch) {
  const double sites = (double)stz_grid_sites(m->grid), mean = stz_grid_sum(m->grid, m->g) / sites;
  const double weight = stz_grid_sum(m->grid, m->interface) / sites;
  for (int64_t i = 0; i < m->sites; i++) {
    stz_rng rng = stz_rng_stream(seed, STZ_RNG_PHASES, (uint64_t)(stz_grid_first_site(m->grid) + i));
    scratch[i] = stz_rng_normal(&rng);
    m->g[i] -= mean;
  }
  stz_spectral_forward(spectral, m->g, spectrum);
  stz_spectral_forward(spectral, scratch, work);
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    const double re = creal(work[i]), im = cimag(work[i]), size = sqrt(re * re + im * im);
    const double kept = sqrt(creal(spectrum[i]) * creal(spectrum[i]) + cimag(spectrum[i]) * cimag(spectrum[i]));
    work[i] = size > 0.0 ? stz_complex(kept * re / size, kept * im / size) : 0.0;
  }
  stz_spectral_inverse(spectral, work, m->g);
  for (int64_t i = 0; i < m->sites; i++) {
    m->f[i] = m->g[i] += mean;
    m->interface[i] = weight;
    m->composition[i] = fmin(fmax(params->nickel_fraction + params->nickel_amplitude * (m->g[i] - mean), 0.0), 1.0);
  }
}

static stz_err make_structure(stz_micro *m, stz_spectral *spectral, const stz_micro_params *params, const double *given,
                              uint64_t seed) {
  double complex *spectrum = NULL, *work = NULL;
  double *scratch = NULL;
  stz_err err = STZ_NEW(spectrum, stz_spectral_modes(spectral));
  if (err == STZ_OK) err = STZ_NEW(work, stz_spectral_modes(spectral));
  if (err == STZ_OK) err = STZ_NEW(scratch, m->sites);
  STZ_TRY_TO(clean, err, stz_agree(stz_grid_comm(m->grid), err));
  if (params->type == STZ_MICRO_LAYERS) {
    err = make_layers(m, params);
  } else if (params->type == STZ_MICRO_FILE) {
    err = take_given(m, spectral, params, given, spectrum, work, scratch);
  } else {
    err = make_spectral(m, spectral, params, seed, spectrum, work, scratch);
  }
  if (err == STZ_OK && params->control == STZ_CONTROL_SHUFFLED) {
    double *const fields[] = {m->f, m->g, m->composition, m->interface};
    err = stz_shuffle(m->grid, seed, 4, fields);
  }
  if (err == STZ_OK && params->control == STZ_CONTROL_RANDOM_PHASES) {
    randomise_phases(m, spectral, params, seed, spectrum, work, scratch);
  }
clean:
  stz_free(scratch);
  stz_free(work);
  stz_free(spectrum);
  return err;
}

static void make_uniform(stz_micro *m, double nickel_fraction) {
  for (int64_t i = 0; i < m->sites; i++) m->composition[i] = nickel_fraction;
}

static double mean_composition(const stz_micro *m) {
  return stz_grid_sum(m->grid, m->composition) / (double)stz_grid_sites(m->grid);
}

static stz_err make_matched(stz_micro *m, stz_spectral *spectral, const stz_micro_params *params, const double *given,
                            uint64_t seed) {
  stz_micro_params structured = *params;
  structured.control = STZ_CONTROL_NONE;
  STZ_TRY(stz_micro_create(m->grid, spectral, &structured, given, seed, &m->matched));
  make_uniform(m, mean_composition(m->matched));
  return STZ_OK;
}

static stz_err allocate(stz_micro *m, bool uniform) {
  STZ_TRY(STZ_NEW(m->g, m->sites));
  STZ_TRY(STZ_NEW(m->composition, m->sites));
  if (uniform) return STZ_OK;
  STZ_TRY(STZ_NEW(m->f, m->sites));
  return STZ_NEW(m->interface, m->sites);
}

stz_err stz_micro_create(const stz_grid *grid, stz_spectral *spectral, const stz_micro_params *params,
                         const double *given, uint64_t seed, stz_micro **micro) {
  const bool frozen = params->control == STZ_CONTROL_FROZEN, plain = params->type == STZ_MICRO_UNIFORM;
  const bool matched = frozen || params->control == STZ_CONTROL_EQUAL_HISTOGRAM;
  stz_micro *m = NULL;
  assert((given != NULL) == (params->type == STZ_MICRO_FILE));
  stz_err err = STZ_NEW(m, 1);
  if (err == STZ_OK) {
    *m = (stz_micro){.grid = grid, .sites = stz_grid_local_sites(grid), .frozen = frozen};
    err = allocate(m, matched || plain);
  }
  STZ_TRY_TO(fail, err, stz_agree(stz_grid_comm(grid), err));
  if (matched) {
    STZ_TRY_TO(fail, err, make_matched(m, spectral, params, given, seed));
  } else if (plain) {
    make_uniform(m, params->nickel_fraction);
  } else {
    STZ_TRY_TO(fail, err, make_structure(m, spectral, params, given, seed));
  }
  *micro = m;
  return STZ_OK;
fail:
  stz_micro_destroy(&m);
  *micro = NULL;
  return err;
}

void stz_micro_destroy(stz_micro **micro) {
  stz_micro *m = *micro;
  if (!m) return;
  stz_micro_destroy(&m->matched);
  stz_free(m->g);
  stz_free(m->composition);
  stz_free(m->f);
  stz_free(m->interface);
  stz_free(m);
  *micro = NULL;
}

static void cut_rows(double *field, int64_t rows, int tall, int layers) {
  for (int64_t row = 0; field && row < rows; row++) {
    memmove(field + row * layers, field + row * tall, (size_t)layers * sizeof *field);
  }
}

void stz_micro_cut(stz_micro *m, const stz_grid *grid) {
  const int tall = stz_grid_cells(m->grid)[2], layers = stz_grid_cells(grid)[2];
  double *const fields[] = {m->g, m->composition, m->f, m->interface};
  for (int i = 0; i < 4; i++) cut_rows(fields[i], m->sites / tall, tall, layers);
  m->grid = grid;
  m->sites = stz_grid_local_sites(grid);
  if (m->matched) stz_micro_cut(m->matched, grid);
}

const double *stz_micro_g(const stz_micro *micro) { return micro->g; }
const double *stz_micro_composition(const stz_micro *micro) { return micro->composition; }
const double *stz_micro_interface(const stz_micro *micro) { return micro->interface; }
const stz_micro *stz_micro_matched(const stz_micro *micro) { return micro->matched; }
bool stz_micro_frozen(const stz_micro *micro) { return micro->frozen; }

// Share of the sites with f > 0 (or the others) and the mean of g over them.
static void phase(const stz_micro *m, bool rich, double *scratch, double *share, double *mean) {
  for (int64_t i = 0; i < m->sites; i++) scratch[i] = (m->f[i] > 0.0) == rich;
  const double sites = stz_grid_sum(m->grid, scratch);
  for (int64_t i = 0; i < m->sites; i++) scratch[i] = (m->f[i] > 0.0) == rich ? m->g[i] : 0.0;
  *share = sites / (double)stz_grid_sites(m->grid);
  *mean = sites > 0.0 ? stz_grid_sum(m->grid, scratch) / sites : 0.0;
}

stz_err stz_micro_measure(const stz_micro *micro, stz_spectral *spectral, stz_micro_measures *measures) {
  const stz_grid *grid = micro->grid;
  *measures = (stz_micro_measures){.nickel_fraction = mean_composition(micro)};
  if (!micro->f) return STZ_OK;
  const int *n = stz_grid_cells(grid);
  const double longest = fmax(n[0], fmax(n[1], n[2])) * stz_grid_spacing(grid);
  double complex *spectrum = NULL;
  double *scratch = NULL, poor;
  stz_radial *radial = NULL;
  bool percolates[2];
  stz_err err = STZ_NEW(spectrum, stz_spectral_modes(spectral));
  if (err == STZ_OK) err = STZ_NEW(scratch, micro->sites);
  STZ_TRY_TO(clean, err, stz_agree(stz_grid_comm(grid), err));
  phase(micro, true, scratch, &measures->volume_fraction_rich, &measures->g_mean_rich);
  phase(micro, false, scratch, &poor, &measures->g_mean_poor);
  stz_spectral_forward(spectral, micro->f, spectrum);
  STZ_TRY_TO(clean, err, stz_radial_create(grid, spectral, spectrum, &radial));
  measures->length_spectrum_nm = stz_radial_length(radial);
  measures->length_correlation_nm = stz_radial_correlation_length(radial, longest);
  STZ_TRY_TO(clean, err, stz_stage(stz_grid_comm(grid), "measuring the interface"));
  STZ_TRY_TO(clean, err, stz_topology_interface(grid, micro->f, &measures->interface_per_nm));
  if (micro->flat_layers) measures->interface_per_nm *= 1.5; // N_L along their axis, not thrice its mean over axes
  STZ_TRY_TO(clean, err, stz_stage(stz_grid_comm(grid), "measuring percolation"));
  STZ_TRY_TO(clean, err, stz_topology_percolation(grid, micro->f, percolates));
  measures->percolates_poor = percolates[0];
  measures->percolates_rich = percolates[1];
clean:
  stz_radial_destroy(&radial);
  stz_free(scratch);
  stz_free(spectrum);
  return err;
}
