// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/thermal.h"

#include <math.h>

#include "base/memory.h"
#include "base/units.h"
#include "stz/law.h"
#include "stz/marginal.h"
#include "stz/modes.h"
#include "stz/rates.h"

// Points: of the structure field, of the noise at each, of the orientations.
enum { FIELD = STZ_FIELD_BINS, NOISE = 32, TURNS = 8 };
static const double FURTHEST = 4.0; // standard deviations of a Gaussian that are looked at
static const double SLOPE = 0.92;   // mean of |grad f| lambda/(2 pi) of random waves, f of variance 1

struct stz_thermal {
  const stz_config *config;
  double share[FIELD], noise_fraction[NOISE]; // sum 1
  double barrier[FIELD][NOISE];               // eV
  stz_marginal marginal;
  stz_modes modes;
};

// Midpoints of a Gaussian and their weights, which add up to 1.
static void gaussian(int count, double *x, double *weight) {
  double sum = 0.0;
  for (int i = 0; i < count; i++) {
    x[i] = FURTHEST * (2.0 * i + 1.0 - count) / count;
    weight[i] = exp(-0.5 * x[i] * x[i]);
    sum += weight[i];
  }
  for (int i = 0; i < count; i++) weight[i] /= sum;
}

// Structure g and the interface's measure at a point f of the structure field; changes the point's weight where the
// share of domains is given.
static double structure_at(const stz_micro_params *micro, int i, double f, double *share, double *interface) {
  const bool layers = micro->type == STZ_MICRO_LAYERS;
  *interface = 0.0;
  if (micro->type == STZ_MICRO_UNIFORM) return 0.0;
  if (layers || (micro->profile == STZ_PROFILE_CUT && micro->type != STZ_MICRO_FILE)) {
    const double rich = layers ? micro->layer_rich_share : micro->nickel_fraction;
    *share = (i < FIELD / 2 ? 1.0 - rich : rich) * 2.0 / FIELD;
    return i < FIELD / 2 ? -1.0 : 1.0;
  }
  const double g = tanh(micro->sharpness * f);
  *interface = (1.0 - g * g) * SLOPE;
  return g;
}

// As found in a file, where there is one.
static double found_at(const stz_field_found *found, int i, double g, double *share, double *interface) {
  if (!found || !found->read) return g;
  *share = found->share[i];
  *interface = fmax(0.0, 1.0 - found->g[i] * found->g[i]) * SLOPE;
  return found->g[i];
}

stz_thermal *stz_thermal_create(const stz_config *config, const stz_field_found *found) {
  stz_thermal *t = NULL;
  double field[FIELD], noise[NOISE];
  const stz_barrier_params *b = &config->barriers;
  if (STZ_NEW(t, 1) != STZ_OK) return NULL;
  t->config = config;
  stz_marginal_set(&t->marginal, b->distribution, b->weibull_shape, b->cutoff_sigma);
  stz_modes_init(&t->modes, STZ_ORIENTATION_RANDOM, 0);
  if (config->stz.catalogue.count > 0) stz_modes_replace(&t->modes, &config->stz.catalogue);
  gaussian(FIELD, field, t->share);
  gaussian(NOISE, noise, t->noise_fraction);
  for (int i = 0; i < FIELD; i++) {
    double interface;
    double g = structure_at(&config->micro, i, field[i], &t->share[i], &interface);
    g = found_at(found, i, g, &t->share[i], &interface);
    const double base = b->mean_eV + (b->composition_eV + b->modulus_eV) * g - b->interface_eV * interface;
    for (int j = 0; j < NOISE; j++) {
      t->barrier[i][j] = fmax(b->floor_eV, base + b->width_eV * stz_marginal_map(&t->marginal, noise[j]));
    }
  }
  return t;
}

void stz_thermal_destroy(stz_thermal **thermal) {
  stz_free(*thermal);
  *thermal = NULL;
}

double stz_thermal_floor(const stz_thermal *t) {
  double share = 0.0;
  for (int i = 0; i < FIELD; i++) {
    for (int j = 0; j < NOISE; j++) {
      if (t->barrier[i][j] <= t->config->barriers.floor_eV) share += t->share[i] * t->noise_fraction[j];
    }
  }
  return share;
}

// Of one mode and sign, over the attempt rate.
static double factor(const stz_stz_params *stz, double barrier, double tau, double kT) {
  return exp(-fmax(0.0, stz_barrier_under(stz, barrier, tau)) / kT);
}

// alpha times the normal stress of a mode, over the axial stress.
static double normal_share(const stz_thermal *t, int turn, int mode) {
  const stz_stz_params *stz = &t->config->stz;
  const bool plane = stz->normal_stress == STZ_NORMAL_STRESS_PLANE;
  return stz->normal_coefficient * (plane ? t->modes.facing[turn * (STZ_ROTATIONS / TURNS)][mode] : 1.0 / 3.0);
}

// Of all modes of a site, over the attempt rate.
static double site_factor(const stz_thermal *t, double barrier, int turn, double stress, double kT) {
  double sum = 0.0;
  for (int m = 0; m < t->modes.count; m++) {
    const double tau = stress * t->modes.axial[turn * (STZ_ROTATIONS / TURNS)][m];
    const double pressing = stress * normal_share(t, turn, m);
    sum += factor(&t->config->stz, barrier, pressing + tau, kT) + factor(&t->config->stz, barrier, pressing - tau, kT);
  }
  return sum;
}

void stz_thermal_rates(const stz_thermal *t, double temperature_K, double stress_GPa, double *first, double *steady) {
  const stz_lattice_params *lattice = &t->config->lattice;
  const double sites = (double)lattice->cells[0] * lattice->cells[1] * lattice->cells[2];
  const double attempts = sites * stz_attempt_rate(&t->config->stz, lattice->spacing_nm);
  const double kT = STZ_BOLTZMANN * temperature_K, stress = stress_GPa * STZ_GPA;
  *first = *steady = 0.0;
  for (int i = 0; i < FIELD; i++) {
    double wait = 0.0;
    for (int k = 0; k < NOISE * TURNS; k++) {
      const double rate = site_factor(t, t->barrier[i][k / TURNS], k % TURNS, stress, kT);
      const double weight = t->noise_fraction[k / TURNS] / TURNS;
      *first += t->share[i] * weight * rate * attempts;
      wait += weight / rate;
    }
    if (isfinite(wait)) *steady += t->share[i] * attempts / wait;
  }
}
