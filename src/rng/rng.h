// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random numbers: PCG64 DXSM (O'Neill, PCG, HMC-CS-2014-0905; the variant that numpy calls PCG64DXSM), in streams keyed
// by (seed, purpose, index). A stream is numpy's PCG64DXSM(SeedSequence(seed, spawn_key=(purpose, index...))), bit for
// bit, so that Python can reproduce any number of this program. Streams belong to things of the model (a site, a
// cell, the clock), never to ranks.
#ifndef STZ_RNG_RNG_H
#define STZ_RNG_RNG_H

#include <stdint.h>

__extension__ typedef unsigned __int128 stz_uint128;

typedef struct stz_rng {
  stz_uint128 state, increment;
} stz_rng;

// What a stream is for. The numbers are part of the program's contract: a new purpose gets a new number.
typedef enum stz_purpose {
  STZ_RNG_EVENTS = 1,      // waiting times and selection; index 0
  STZ_RNG_NOISE = 2,       // white noise under the barriers; index: site
  STZ_RNG_WAVES = 3,       // composition waves; index: wave (micro/waves.h)
  STZ_RNG_SHUFFLE = 4,     // keys of the shuffled control's permutation; index 0
  STZ_RNG_GRAINS = 5,      // seed point of a grain of orientation; index: grain
  STZ_RNG_ROTATIONS = 6,   // table of rotations; index: entry
  STZ_RNG_ORIENTATION = 7, // initial rotation of a grain; index: grain
  STZ_RNG_CLUSTERS = 8,    // ordered clusters; index: site
  STZ_RNG_REDRAW = 9,      // redraw after an event; index: site, then number of the event at the site
  STZ_RNG_LOSS = 10,       // loss of order; index: site, number of the event at the site, cluster
  STZ_RNG_SCANS = 11,      // displaced NBED scans
  STZ_RNG_QUENCH = 12,     // noise before a quench; index: wave (micro/waves.h)
  STZ_RNG_QUENCHED = 13,   // quenched-in strain; index: site
  STZ_RNG_DESIGN = 14,     // points of a sweep; index: dimension
  STZ_RNG_RUN = 15,        // seed of a sweep's run; index: point, then replica
  STZ_RNG_DAMAGE = 16,     // damage at the start; index: site
  STZ_RNG_FROZEN = 17,     // white noise under the frozen control's barriers; index: site
  STZ_RNG_PHASES = 18,     // white noise whose phases the random-phases control takes; index: site
  STZ_RNG_POINTS = 19,     // points of the engine of that name (kmc/points/points.h): blocks (rng/philox.h)
} stz_purpose;

// The stream (seed, purpose, index), at its beginning.
stz_rng stz_rng_stream(uint64_t seed, stz_purpose purpose, uint64_t index);

// The stream (seed, purpose, index, sub), for things that belong to a pair.
stz_rng stz_rng_stream2(uint64_t seed, stz_purpose purpose, uint64_t index, uint64_t sub);

// The same for a triple.
stz_rng stz_rng_stream3(uint64_t seed, stz_purpose purpose, uint64_t index, uint64_t sub, uint64_t part);

// The generator that numpy makes of SeedSequence(entropy, spawn_key): entropy[entropy_words] and
// spawn_key[spawn_words], least significant word first. For seeds of any width.
stz_rng stz_rng_from_entropy(const uint32_t *entropy, int entropy_words, const uint32_t *spawn_key, int spawn_words);

// Next 64 random bits. All functions below move `rng` (in and out) on.
uint64_t stz_rng_next(stz_rng *rng);

// Moves on by `steps` outputs in logarithmic time (modulo 2^128: a huge value moves back).
void stz_rng_advance(stz_rng *rng, stz_uint128 steps);

double stz_rng_uniform(stz_rng *rng);                // [0, 1), 53 bits, as numpy's random()
double stz_rng_exponential(stz_rng *rng);            // mean 1, by inversion
double stz_rng_normal(stz_rng *rng);                 // mean 0, variance 1, polar method, one value per call
uint64_t stz_rng_below(stz_rng *rng, uint64_t n);    // {0, ..., n-1} without bias, n > 0
uint64_t stz_rng_poisson(stz_rng *rng, double mean); // by products of uniforms; mean below 500

#endif
