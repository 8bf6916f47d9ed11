// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/mathfn.h"
#include "kmc/engine.h"

double stz_thinning_wait(double rate, double growth, double elapsed, double exponential) {
  if (growth * elapsed == 0.0 && growth * exponential <= 1e-12 * rate) return elapsed + exponential / rate;
  // integral of R exp(g t) from `elapsed` to t = (R/g) (exp(g t) - exp(g elapsed))
  return stz_ln(stz_exp(growth * elapsed) + growth * exponential / rate) / growth;
}
