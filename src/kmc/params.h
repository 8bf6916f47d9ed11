// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_KMC_PARAMS_H
#define STZ_KMC_PARAMS_H

typedef enum stz_engine_kind { STZ_ENGINE_DIRECT } stz_engine_kind;

typedef struct stz_kmc_params {
  stz_engine_kind engine;
} stz_kmc_params;

#endif
