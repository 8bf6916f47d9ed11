// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_KMC_PARAMS_H
#define STZ_KMC_PARAMS_H

typedef enum stz_engine_kind { STZ_ENGINE_DIRECT, STZ_ENGINE_MULTILEVEL } stz_engine_kind;

enum { STZ_MULTILEVEL_LEAST = 32 }; // cells an axis

typedef struct stz_kmc_params {
  stz_engine_kind engine;
  double tolerance_MPa; // multilevel: rms error of the stress just before it is computed afresh
} stz_kmc_params;

#endif
