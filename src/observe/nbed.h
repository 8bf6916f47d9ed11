// SPDX-License-Identifier: GPL-3.0-or-later
//
// Virtual nanobeam electron diffraction (docs/nbed.md): scans of 10 x 10 patterns with a probe that is a straight
// cylinder through a foil. A pattern has Bragg reflections if an ordered, oriented cluster of radius R lies within
// R + probe/2 of its axis and, by its centre, in the foil.
#ifndef STZ_OBSERVE_NBED_H
#define STZ_OBSERVE_NBED_H

#include <stdbool.h>
#include <stdint.h>

#include "glass/glass.h"
#include "lattice/grid.h"
#include "observe/params.h"

enum { STZ_NBED_SIDE = 10, STZ_NBED_PATTERNS = STZ_NBED_SIDE * STZ_NBED_SIDE };

// The sample that is scanned.
typedef struct stz_nbed_sample {
  const stz_grid *grid;
  const stz_cluster *clusters; // of this rank, anywhere in the box
  int64_t cluster_count;
  const uint32_t *event_count; // events centred on each local site
  const float *composition;    // Ni atomic fraction of each local site
  double cluster_density;      // lambda0 of all clusters as deposited, oriented or not, /nm^3
  double stz_volume_nm3;       // Omega
  stz_order_params order;
} stz_nbed_sample;

// One level: every scan, and what they say together. The same on every rank. Arrays of scans x 10 x 10 run over the
// scan, then over the beam's next two axes in cyclic order (beam z: x, then y; beam x: y, then z).
typedef struct stz_nbed {
  int scans;
  bool displaced;           // the scans did not fit side by side: foils displaced along the beam hold the rest
  uint8_t *bragg;           // scans x 10 x 10: the pattern has Bragg reflections
  double *probability;      // scans x 10 x 10: of that, from the local event counts, whatever clusters there are
  double *density;          // scans x 10 x 10: mean Ni atomic fraction in the probe
  uint8_t *mask;            // scans x 10 x 10: density above the midpoint of its extremes over all scans
  double *counts;           // scans: patterns with Bragg reflections
  double *counts_by_domain; // scans x 4: Bragg in the mask, patterns in it, Bragg outside, patterns outside
  double *origin_nm;        // scans x 3: corner of the scan and of its foil, x y z
  double bragg_expected;    // `probability` over all probe positions of the box
  double bragg_mean;        // fraction of patterns with Bragg reflections
  double bragg_scatter;     // standard deviation of the scans' fractions (n - 1); NaN for one scan
} stz_nbed;

// Collective. Takes the scans of one strain level. Their places are regular and shifted at random, by stream (seed,
// STZ_RNG_SCANS, level). Fails with STZ_EINPUT if the foil is thicker than the box, or a scan or the tube about a probe
// wider; with STZ_ESTOPPED, on all ranks, if any has a request to stop meanwhile.
stz_err stz_nbed_create(const stz_nbed_sample *sample, const stz_nbed_params *params, uint64_t seed, uint64_t level,
                        stz_nbed **nbed) STZ_MUST_USE;
void stz_nbed_destroy(stz_nbed **nbed);

// The sample of a glass.
stz_nbed_sample stz_nbed_sample_of(const stz_glass *glass);

#endif
