// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// The balance of energy of the specimen: work done by the load = elastic energy - elastic energy at the start + heat.
// Each of the three is found by itself, so that their sum is a check of the run:
//   work     the integral of stress : d(strain) of the means. Between events, and in an event, stress and strain go
//            along a straight line, as specimen and machine are linear: (before + after)/2 : change, per unit of
//            volume;
//   heat     sum over events of gamma0 Omega (tau_before + tau_after)/2 (docs/theory.md, 4), tau the resolved stress
//            averaged over the STZ, mean stress and, after, its self-stress included;
//   elastic  of the mean stress, stress:S:stress/2 per unit of volume, and of the internal stress, from the fields:
//            -Omega/2 sum over sites of (strain of all events there) : (driving stress, its mean left out).
// The last is a pass over all sites. Between two of them, the energy of the internal stress is carried on from event to
// event: one of strain d changes it by -Omega d : (driving stress there, its mean left out, + self-stress/2). That part
// is in the heat as well, hence the passes: without them the sum would be no check of the fields.
#ifndef STZ_OBSERVE_ENERGY_H
#define STZ_OBSERVE_ENERGY_H

#include <stddef.h>

#include "elastic/elastic.h"
#include "glass/glass.h"
#include "kmc/kmc.h"

typedef struct stz_energy stz_energy;

// Starts from a specimen without mean stress and strain. Collective.
stz_err stz_energy_create(const stz_grid *grid, const stz_elastic *elastic, const stz_kmc *kmc,
                          stz_energy **energy) STZ_MUST_USE;
void stz_energy_destroy(stz_energy **energy);

// Mean stress (eV/nm^3) and strain are now these, and have moved there along a straight line. Local; every rank.
void stz_energy_move(stz_energy *energy, const double stress[6], const double strain[6]);

// An event of strain gamma0 P happens at a global site, at which the driving stress without its mean was `internal`
// (deviator; read on the rank that owns the site), and takes the mean stress and strain to `stress` and `strain`.
// Call stz_energy_move with the moment before first. Local; every rank.
void stz_energy_event(stz_energy *energy, int64_t site, const double event[6], const float internal[5],
                      const double stress[6], const double strain[6]);

// Sites interact in another way than at the last stz_energy_anchor, just before, and the energy of the internal stress
// is `internal` (eV/nm^3 of the box). What it has changed by the events before have taken or given, with the shape of
// the box: heat. Local; every rank.
void stz_energy_reshaped(stz_energy *energy, double internal);

// The energy of the internal stress is now this (stz_energy_internal), eV/nm^3 of the box. Local; every rank.
void stz_energy_anchor(stz_energy *energy, double internal);

// Work done, heat and energy of the internal stress, eV/nm^3 of the box, when mean stress and strain are these.
// Collective; the same bits on any number of ranks.
void stz_energy_so_far(const stz_energy *energy, const double stress[6], const double strain[6], double *work,
                       double *heat, double *internal);

// Elastic energy of the mean stress, eV/nm^3. Local.
double stz_energy_of_mean(const stz_energy *energy, const double stress[6]);

// Elastic energy of the internal stress, eV/nm^3 of the box, quenched-in stress included; the engine's stress must be
// up to date. Collective; the same bits on any number of ranks.
stz_err stz_energy_internal(const stz_glass *glass, const stz_kmc *kmc, double *energy) STZ_MUST_USE;

// The state for a checkpoint, the same on every rank; saving is collective.
size_t stz_energy_saved_bytes(const stz_energy *energy);
void stz_energy_save(const stz_energy *energy, void *saved);
void stz_energy_restore(stz_energy *energy, const void *saved);

#endif
