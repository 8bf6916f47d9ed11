// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/thermal.h"

#include <float.h>
#include <math.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "base/units.h"
#include "stz/law.h"
#include "stz/marginal.h"
#include "stz/modes.h"
#include "stz/rates.h"

// Points: of the structure field, of the noise at each, of the orientations; barriers at which rates are computed.
enum { FIELD = STZ_FIELD_BINS, NOISE = 32, TURNS = 8, KNOTS = 129 };
static const double FURTHEST = 4.0; // standard deviations of a Gaussian that are looked at
static const double SLOPE = 0.92;   // mean of |grad f| lambda/(2 pi) of random waves, f of variance 1

struct stz_thermal {
  const stz_config *config;
  double share[FIELD], noise_fraction[NOISE]; // sum 1
  double barrier[FIELD][NOISE];               // eV
  double least, most;                         // of the barriers
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

// f of a quench into the miscibility gap where a normal variable has the values z: c = tanh(steep (z - middle)) less
// what it is at the level above which `rich` of z lies, over its rms. Fitted to fields of 48^3 with rich from 0.3 to
// 0.5, to 0.03 of f.
static void quench(double rich, const double *z, const double *share, double *f, double *slope) {
  const double level = stz_normal_level(rich), steep = 1.063 + 1.4 * level * level;
  const double middle = level * (1.64 - 1.06 * level * level);
  double mean = 0.0, square = 0.0;
  for (int i = 0; i < FIELD; i++) {
    f[i] = tanh(steep * (z[i] - middle));
    mean += share[i] * f[i];
    square += share[i] * f[i] * f[i];
  }
  const double zero = tanh(steep * (level - middle)), rms = sqrt(square - mean * mean);
  for (int i = 0; i < FIELD; i++) {
    slope[i] = SLOPE * steep * (1.0 - f[i] * f[i]) / rms;
    f[i] = (f[i] - zero) / rms;
  }
}

// f in a layer of each kind, half of the points in either, at the same distances from the interfaces.
static void flat(double rich, double *f, double *share, double *slope) {
  for (int i = 0; i < FIELD; i++) {
    const bool below = i < FIELD / 2;
    const double part = below ? 1.0 - rich : rich, at = (2 * (i % (FIELD / 2)) + 1.0) / FIELD;
    f[i] = STZ_PI * part * (below ? -at : at);
    share[i] = part * 2.0 / FIELD;
    slope[i] = 1.0;
  }
}

// The structure field f and |grad f| lambda/(2 pi) at points of given shares, as micro/micro.h has them.
static void structure_field(const stz_micro_params *micro, double *f, double *share, double *slope) {
  double z[FIELD], above = 0.0;
  const bool cut = micro->profile == STZ_PROFILE_CUT, quenched = micro->type == STZ_MICRO_CAHN_HILLIARD;
  const double rich = micro->nickel_fraction, level = cut && !quenched ? stz_normal_level(rich) : 0.0;
  gaussian(FIELD, z, share);
  for (int i = 0; i < FIELD; i++) {
    f[i] = z[i] - level;
    slope[i] = SLOPE;
  }
  if (quenched) quench(rich, z, share, f, slope);
  if (micro->type == STZ_MICRO_LAYERS) flat(micro->layer_rich_share, f, share, slope);
  if (!cut || micro->type == STZ_MICRO_LAYERS) return;
  for (int i = 0; i < FIELD; i++) above += f[i] > 0.0 ? share[i] : 0.0;
  for (int i = 0; i < FIELD; i++) share[i] *= f[i] > 0.0 ? rich / above : (1.0 - rich) / (1.0 - above);
}

// Structure g and the interface's measure where the structure field is f and has this slope.
static double structure_at(const stz_micro_params *micro, double f, double slope, double *interface) {
  const double smooth = tanh(micro->sharpness * f);
  *interface = 0.0;
  if (micro->type == STZ_MICRO_UNIFORM) return 0.0;
  *interface = (1.0 - smooth * smooth) * slope;
  return micro->profile != STZ_PROFILE_CUT ? smooth : f > 0.0 ? 1.0 : -1.0;
}

// As found in a file, where there is one.
static double found_at(const stz_field_found *found, int i, double g, double *share, double *interface) {
  if (!found || !found->read) return g;
  *share = found->share[i];
  *interface = fmax(0.0, 1.0 - found->g[i] * found->g[i]) * SLOPE;
  return found->g[i];
}

stz_err stz_thermal_create(const stz_config *config, const stz_field_found *found, stz_thermal **thermal) {
  stz_thermal *t = NULL;
  double field[FIELD], slope[FIELD], noise[NOISE];
  const stz_barrier_params *b = &config->barriers;
  *thermal = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  t->config = config;
  stz_modes_init(&t->modes, STZ_ORIENTATION_RANDOM, 0);
  if (config->stz.catalogue.count > 0) stz_modes_replace(&t->modes, &config->stz.catalogue);
  structure_field(&config->micro, field, t->share, slope);
  gaussian(NOISE, noise, t->noise_fraction);
  for (int j = 0; j < NOISE; j++) {
    noise[j] = stz_marginal_at(b->distribution, b->weibull_shape, b->cutoff_sigma, noise[j]);
  }
  t->least = INFINITY;
  t->most = -INFINITY;
  for (int i = 0; i < FIELD; i++) {
    double interface;
    double g = structure_at(&config->micro, field[i], slope[i], &interface);
    g = found_at(found, i, g, &t->share[i], &interface);
    const double base = b->mean_eV + (b->composition_eV + b->modulus_eV) * g - b->interface_eV * interface;
    for (int j = 0; j < NOISE; j++) {
      t->barrier[i][j] = fmax(b->floor_eV, base + b->width_eV * noise[j]);
      t->least = fmin(t->least, t->barrier[i][j]);
      t->most = fmax(t->most, t->barrier[i][j]);
    }
  }
  *thermal = t;
  return STZ_OK;
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

// Logarithms of the factors of a site at barriers from the least to the most, for each orientation.
static void tabulate(const stz_thermal *t, double stress, double kT, double table[TURNS][KNOTS]) {
  for (int turn = 0; turn < TURNS; turn++) {
    for (int k = 0; k < KNOTS; k++) {
      const double barrier = t->least + (t->most - t->least) * k / (KNOTS - 1);
      table[turn][k] = log(fmax(DBL_MIN, site_factor(t, barrier, turn, stress, kT)));
    }
  }
}

// Between the knots, in the logarithm: exact where all modes' rates fall alike with the barrier; the sum over barriers
// is within 2e-4 in the cooperative law, 0.3 % where modes of the linear law have used up their barriers.
static double factor_at(const stz_thermal *t, const double table[KNOTS], double barrier) {
  const double width = t->most - t->least, at = width > 0.0 ? (barrier - t->least) / width * (KNOTS - 1) : 0.0;
  const int k = (int)fmin(at, KNOTS - 2);
  return exp(table[k] + (at - k) * (table[k + 1] - table[k]));
}

void stz_thermal_rates(const stz_thermal *t, double temperature_K, double stress_GPa, double *first, double *steady) {
  const stz_lattice_params *lattice = &t->config->lattice;
  const double sites = (double)lattice->cells[0] * lattice->cells[1] * lattice->cells[2];
  const double attempts = sites * stz_attempt_rate(&t->config->stz, lattice->spacing_nm);
  const double kT = STZ_BOLTZMANN * temperature_K, stress = stress_GPa * STZ_GPA;
  double table[TURNS][KNOTS];
  tabulate(t, stress, kT, table);
  *first = *steady = 0.0;
  for (int i = 0; i < FIELD; i++) {
    double wait = 0.0;
    for (int k = 0; k < NOISE * TURNS; k++) {
      const double rate = factor_at(t, table[k % TURNS], t->barrier[i][k / TURNS]);
      const double weight = t->noise_fraction[k / TURNS] / TURNS;
      *first += t->share[i] * weight * rate * attempts;
      wait += weight / rate;
    }
    if (isfinite(wait)) *steady += t->share[i] * attempts / wait;
  }
}
