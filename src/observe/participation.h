// SPDX-License-Identifier: GPL-3.0-or-later
//
// Participation: how many sites carry the plastic strain.
#ifndef STZ_OBSERVE_PARTICIPATION_H
#define STZ_OBSERVE_PARTICIPATION_H

typedef struct stz_participation {
  double ratio;   // (sum s)^2 / (N sum s^2), s = e:e of each site's plastic strain e: 1 if all sites have the same, m/N
                  // if m have and the others none; NaN without any
  double sheared; // fraction of sites at which an event was centred
} stz_participation;

enum { STZ_PARTICIPATION_SUMS = 3 }; // over all sites: of s, of s^2, of sheared sites

// From those sums over `sites` sites. Local.
stz_participation stz_participation_of(const double sums[STZ_PARTICIPATION_SUMS], double sites);

#endif
