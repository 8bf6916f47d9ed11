// SPDX-License-Identifier: GPL-3.0-or-later
//
// The modules of one run, wired together: the sample, its load and the engine.
#ifndef STZ_SIM_SAMPLE_H
#define STZ_SIM_SAMPLE_H

#include "config/config.h"
#include "elastic/contrast.h"
#include "elastic/elastic.h"
#include "glass/glass.h"
#include "kmc/kmc.h"
#include "load/load.h"
#include "micro/micro.h"
#include "sim/cache.h"

typedef struct stz_sample {
  stz_grid *grid;
  stz_elastic *elastic;
  stz_contrast *contrast; // NULL: uniform moduli
  stz_glass *glass;
  stz_load *load;
  stz_kmc *kmc;
  stz_micro_measures micro;
  stz_cache *own; // where grid and elastic come from, if the sample has them for itself
} stz_sample;

// Collective. Builds everything that the input describes, at time 0. Grid, transforms and kernel come from `cache`,
// which must outlive the sample; NULL: the sample has its own, and the threads of `team` (may be NULL) work for it. On
// failure *sample is empty.
stz_err stz_sample_create(MPI_Comm comm, const stz_config *config, stz_cache *cache, stz_team *team,
                          stz_sample *sample) STZ_MUST_USE;
void stz_sample_destroy(stz_sample *sample); // collective

// Hash of the whole state: fields, clusters, macroscopic state, random stream, counters. The same on any number of
// ranks that took the same steps. Collective.
uint64_t stz_sample_hash(const stz_sample *sample);

#endif
