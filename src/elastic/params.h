// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_ELASTIC_PARAMS_H
#define STZ_ELASTIC_PARAMS_H

typedef struct stz_elastic_params {
  double young_GPa; // Young's modulus
  double poisson;   // Poisson's ratio
} stz_elastic_params;

#endif
