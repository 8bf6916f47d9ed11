// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sample: its fields, and what an event does to them. Every rank holds its slab; an event is applied by all ranks.
#ifndef STZ_GLASS_GLASS_H
#define STZ_GLASS_GLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "glass/params.h"
#include "lattice/fields.h"
#include "lattice/grid.h"
#include "lattice/spectral.h"
#include "micro/micro.h"
#include "stz/modes.h"
#include "stz/params.h"

typedef struct stz_glass stz_glass;

// A shear event: mode m in 0..14 of the site's own orientation, sign +1 or -1, at a global site. The rank that owns the
// site fills in the rest (stz_glass_locate), so that every rank can apply the event. The site and the number are the
// event's identity, which its random numbers belong to, whatever else happens in the sample.
typedef struct stz_shear {
  int64_t site;
  int mode, sign;
  int rotation;    // entry of the rotation table
  uint32_t cell;   // grain of orientation
  uint32_t number; // of the event at its site: events there before it
} stz_shear;

// One ordered cluster: an object that scatters into Bragg reflections until it loses its order.
typedef struct stz_cluster {
  double position_nm[3]; // in the box; voxel (x, y, z) covers [x a, (x+1) a) ...
  bool oriented;         // Bragg-oriented
  bool ordered;          // still has its order
  int64_t id;            // global: site * 256 + number within the site
} stz_cluster;

// How far damage has recovered since the reference of its field, the same on every rank.
typedef struct stz_recovery {
  double sum;  // R: all damage is less by the factor exp(-R)
  double most; // no damage is above most exp(-R)
} stz_recovery;

// Fields from outside, a number per local site; NULL without one.
typedef struct stz_glass_given {
  const double *damage; // at the start, with that shape
  const double *rise;   // of the barriers, eV
} stz_glass_given;

// What their values may be: STZ_EINPUT, "got VALUE at voxel [x, y, z], needs ..." otherwise. `values`: count of
// them, from the site `first` on.
stz_err stz_glass_check_damage(const stz_barrier_params *barriers, const int cells[3], int64_t first, int64_t count,
                               const double *values) STZ_MUST_USE;
stz_err stz_glass_check_rise(const int cells[3], int64_t first, int64_t count, const double *values) STZ_MUST_USE;

// Collective. Makes the glass before any load. Barriers follow `micro`; noise, orientations and clusters come from
// streams of `seed`. `foil_nm` (thickness) and `probe_nm` (diameter) are the NBED geometry that turns
// order->bragg_fraction into a density of clusters. `grid` must outlive the glass; the parameters are copied;
// `spectral` is work space; `given` may be NULL. Fails with STZ_EINPUT for parameters that do not fit the lattice.
stz_err stz_glass_create(const stz_grid *grid, stz_spectral *spectral, const stz_micro *micro,
                         const stz_stz_params *stz, const stz_barrier_params *barriers, const stz_order_params *order,
                         double foil_nm, double probe_nm, uint64_t seed, const stz_glass_given *given,
                         stz_glass **glass) STZ_MUST_USE;
void stz_glass_destroy(stz_glass **glass);

// Fills in rotation, grain and number of `shear` (in and out), whose site this rank owns.
void stz_glass_locate(const stz_glass *glass, stz_shear *shear);

// Applies an event: adds the eigenstrain, redraws barriers and orientation, and takes the order of clusters. `strain`
// receives the event's strain gamma0 P (tensor components, lattice axes). Every rank calls it with the same event; no
// communication. Events whose footprints and cells do not overlap give the same sample in any order.
void stz_glass_shear(stz_glass *glass, const stz_shear *shear, double strain[6]);

// The strain alone, before the event.
void stz_glass_strain(const stz_glass *glass, const stz_shear *shear, double strain[6]);

// The local sites whose barrier or rotation the last stz_glass_shear changed, some of them more than once.
const int64_t *stz_glass_touched(const stz_glass *glass, int *count);

// Of an event that the parts have taken: the record of its site alone, in the whole.
void stz_glass_count(stz_glass *glass, const stz_shear *shear);

// A part of a glass, the planes first <= x < first + planes, for a thread of its own. It shares the fields of `whole`,
// which must outlive it, have one rank and be periodic; stz_glass_shear on a part changes what lies within, alone, and
// allocates nothing; what an event leaves at its own site (plastic strain, the count of events, reversals) the whole
// gets from stz_glass_count. Local sites are the part's own, but for touched ones. At most `most` shears fit between
// two settlings, and all of them can be taken back; one that does not reach the part counts as well. A part counts
// clusters that lose their order (stz_glass_ordered: down from 0) from settling to settling. The order, the hash and
// the recovery are asked of the whole, when all parts are settled. STZ_EINTERNAL without memory.
stz_err stz_glass_part_create(stz_glass *whole, int first, int planes, int most, stz_glass **part) STZ_MUST_USE;
void stz_glass_part_destroy(stz_glass **part);

// The local sites of the whole that the shear number `index`, from 0 at the last settling, has touched in this part
// (as stz_glass_touched).
const int64_t *stz_glass_part_touched(const stz_glass *part, int index, int *count);
int stz_glass_part_shears(const stz_glass *part); // since the last settling, and not taken back

// Takes back the last `count` shears: fields, clusters and counts are as before them, bit for bit.
void stz_glass_part_take_back(stz_glass *part, int count);

// What the part has counted apart (clusters that lost their order, the largest damage) goes to the whole,
// and the part takes over the recovery of the whole; nothing before can be taken back. Settle also whenever the
// recovery of the whole has gone on. Not while other threads work on the whole or its parts.
void stz_glass_part_settle(stz_glass *part, stz_glass *whole);

// How many voxels an event reaches at most, whose barrier or orientation it changes.
double stz_glass_reach(const stz_glass *glass);

// What the sample is made of: its grid, all its fields by name, its modes, and the parameters it was made with.
const stz_grid *stz_glass_grid(const stz_glass *glass);
const stz_fields *stz_glass_fields(const stz_glass *glass);
const stz_modes *stz_glass_modes(const stz_glass *glass);
const stz_stz_params *stz_glass_stz(const stz_glass *glass);

// Read access, one number per local site.
const float *stz_glass_barrier(const stz_glass *glass); // Q, eV
double
stz_glass_highest_barrier(const stz_glass *glass); // eV: global upper bound on any barrier, now and after any redraw
const uint16_t *stz_glass_rotation(const stz_glass *glass); // entry of the rotation table; 0: identity (aligned)
const float *stz_glass_structure(const stz_glass *glass);   // g
const float *stz_glass_composition(const stz_glass *glass); // Ni atomic fraction
const float *stz_glass_plastic(const stz_glass *glass,
                               int component); // eigenstrain sum gamma0 P Omega/a^3, deviator 0..4

// Softening. Damage lowers barriers and recovers in time by a factor exp(-R) common to all sites; R grows at the rate
// stz_glass_recovery_rate (1/s; 0 without softening or recovery). Local; the same on every rank.
double stz_glass_recovery_rate(const stz_glass *glass, double temperature_K);
// Growth of R within `duration` (s), while the temperature starts at `temperature_K` and moves at `rate` (K/s): exact
// at constant temperature, else by Gauss's quadrature within 1e-9.
double stz_glass_recovery_gain(const stz_glass *glass, double temperature_K, double rate, double duration);
double stz_glass_recovery(const stz_glass *glass);        // R now
void stz_glass_recover(stz_glass *glass, double by);      // R grows
void stz_glass_soften(stz_glass *glass, double recovery); // brings all barriers to R = `recovery`
double stz_glass_barrier_at(const stz_glass *glass, int64_t local, double recovery); // of one site, at R = `recovery`
// By how much R may grow from `recovery` on until some barrier may have risen by 0.01 eV; INFINITY if none ever will.
double stz_glass_recovery_step(const stz_glass *glass, double recovery);
stz_recovery stz_glass_recovery_state(const stz_glass *glass);

// Quenched-in strain, deviator component 0..4, one number per local site; NULL if there is none.
const float *stz_glass_quenched(const stz_glass *glass, int component);

const uint32_t *stz_glass_event_count(const stz_glass *glass); // events centred on the site
// Collective. Number of events so far that reversed the previous event at their site (strain:strain < -0.9 |strain|^2).
uint64_t stz_glass_reversals(const stz_glass *glass);

// The clusters of this rank's slab (a cluster belongs to the voxel in which its centre lies).
const stz_cluster *stz_glass_clusters(const stz_glass *glass, int64_t *count);
int64_t stz_glass_ordered(const stz_glass *glass);        // how many of them still have their order
double stz_glass_cluster_density(const stz_glass *glass); // lambda0 of all clusters, /nm^3, oriented or not
const stz_order_params *stz_glass_order(const stz_glass *glass);

// Which clusters of this rank still have their order, one byte each in the order of stz_glass_clusters.
void stz_glass_save_order(const stz_glass *glass, uint8_t *ordered);

// Collective. Call it after the state fields of the registry were filled from a checkpoint: recomputes the derived
// fields. `ordered` is as stz_glass_save_order made it, `reversals` the count of all ranks, `recovery` as
// stz_glass_recovery_state gave it.
void stz_glass_restore(stz_glass *glass, const uint8_t *ordered, uint64_t reversals, stz_recovery recovery);

// Collective. Hash over fields and clusters, the same on any number of ranks.
uint64_t stz_glass_hash(const stz_glass *glass);

#endif
