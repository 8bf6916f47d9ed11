// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/machine.h"

#include <float.h>
#include <math.h>

#include "base/mathfn.h"

// The force that the specimen bears less the spring's, over E A0, at an elastic strain; and its slopes along the
// elastic strain and along the plastic strain.
typedef struct forces {
  double excess, elastic, plastic;
} forces;

static forces forces_at(const stz_balance *b, double contraction, double plastic, double elastic) {
  const double area = stz_exp(-plastic - 2.0 * b->poisson * elastic), length = stz_exp(plastic + elastic);
  const double spring = b->spring / b->young;
  return (forces){.excess = elastic * area + spring * (length - (1.0 + contraction)),
                  .elastic = (1.0 - 2.0 * b->poisson * elastic) * area + spring * length,
                  .plastic = spring * length - elastic * area};
}

// Newton's method within brackets. At an elastic strain of 0 the specimen bears no force; where the specimen is as long
// as the free spring, the spring exerts none: the balance lies between the two.
static double elastic_strain(const stz_balance *b, double contraction, double plastic) {
  enum { MOST = 100 };
  const double unloaded = stz_ln(fmax(1.0 + contraction, DBL_MIN)) - plastic,
               share = b->spring / (b->spring + b->young);
  double low = fmin(0.0, unloaded), high = fmax(0.0, unloaded);
  double x = fmax(low, fmin(high, share * (contraction - plastic)));
  for (int i = 0; i < MOST; i++) {
    const forces f = forces_at(b, contraction, plastic, x);
    *(f.excess < 0.0 ? &low : &high) = x;
    double next = x - f.excess / f.elastic;
    if (!(next >= low && next <= high)) next = 0.5 * (low + high);
    const bool found = fabs(next - x) <= DBL_EPSILON * fabs(x);
    x = next;
    if (found) break;
  }
  return x;
}

double stz_machine_stress(const stz_balance *balance, double contraction, double plastic) {
  return balance->young * elastic_strain(balance, contraction, plastic);
}

double stz_machine_stiffness(const stz_balance *balance, double contraction, double plastic) {
  const double elastic = elastic_strain(balance, contraction, plastic);
  const forces f = forces_at(balance, contraction, plastic, elastic);
  return balance->young * f.plastic / f.elastic;
}

double stz_machine_contraction(const stz_balance *balance, double stress, double plastic) {
  const double elastic = stress / balance->young;
  const double area = stz_exp(-plastic - 2.0 * balance->poisson * elastic);
  return stress * area / balance->spring + (stz_exp(plastic + elastic) - 1.0);
}
