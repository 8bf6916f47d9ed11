// SPDX-License-Identifier: GPL-3.0-or-later
//
// The protocol and the macroscopic balance: which mean stress acts at which time, given the plastic strain so far.
// Between events every quantity is linear in time up to the next break point, so that times of crossing are exact. No
// MPI: every rank carries the same copy.
//
// Times are counted from the start of the running segment, those in its name or comment apart.
//
// Each component of the mean is controlled by its strain or by its stress; strain = S stress + plastic strain, with the
// isotropic compliance S (balance.h). A segment drives one component, which "strain" and "stress" mean here:
//   uniaxial: xx, the other stresses zero, so that stress = E (strain - plastic strain);
//   shear: xy, the other strains held as they are found, stress = 2 mu (strain - plastic strain);
//   mixed: each component by its own control and rate; "the" component is the one that moves fastest.
// Of the driven component e and s,
//   strain-rate, relaxation, rate-jump, unload, cyclic impose e;  creep, age impose s (age: all stresses are zero);
//   actuator: s = S_a (m(t) - (e - e_a)), m the mismatch released so far in this segment. It grips the specimen as it
//   finds it: e_a, its strain then plus s/S_a, keeps the stress continuous (0 for a virgin specimen). With finite
//   geometry (uniaxial): s A/A0 = S_a (m(t) - (exp(e) - 1 - u_a)), A/A0 = exp(-plastic strain - 2 nu s/E); gripped
//   alike. During the release this holds at times that are at most a mismatch of 0.001 apart, and s is linear in time
//   between them: off by some 1e-5 GPa at most.
// Stresses are true stresses (force over the present area), strains are logarithmic.
//
// Ends. A segment ends at the first of its end conditions, at once if one holds already at its start. A target counts
// as reached from there on in the direction in which the control drives: strain-rate and rate-jump, that of the rate
// (strain and stress); actuator, that of the mismatch (strain and stress; a stress target is thus one of the release);
// creep, strain in that of the stress; relaxation, stress towards zero. What the control holds (strain in relaxation,
// stress in creep, both in age) ends nothing. Unload ends when its stress is crossed, cyclic after its last turn, mixed
// by its duration. A cycle by stress turns where the stress is crossed, be it by an event. Differences below a strain
// of 1e-14 (or E times it) are rounding.
//
// The temperature is constant in a segment or moves linearly over its duration (actuator: from the end of release on).
#ifndef STZ_LOAD_LOAD_H
#define STZ_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "load/params.h"

typedef struct stz_load stz_load;

// The drive from now on, while no event happens: valid for t0 <= t <= until.
typedef struct stz_drive {
  double t0, until; // s; `until` is the end of the segment or a break point within it, INFINITY if neither is near
  double temperature_K, temperature_rate; // at t0; K/s, constant
  double stress[6];                       // mean stress at t0, eV/nm^3
  double stress_rate[6];                  // its constant rate, eV/nm^3/s
  bool ends_segment;                      // the segment ends at `until`
} stz_drive;

// The macroscopic state at the load's present time.
typedef struct stz_macro {
  double time_s, temperature_K;            // time since the start of the segment
  double begin_s, run_time_s;              // since the start of the run: that start, and now
  double strain[6], stress[6], plastic[6]; // total strain, stress (eV/nm^3), plastic strain
  int segment;                             // index of the segment that is running
  int component;                           // the component that it drives
  double clock_zero_s; // time in the segment from which the segment's times count (actuator: end of release)
} stz_macro;

// The type's name in the input ("strain-rate", ...).
const char *stz_segment_name(stz_segment_type type);

// What a protocol goes through, followed roughly: plastic strain sets in at the flow stress, relaxation turns elastic
// strain into plastic. In the component that a segment drives; `largest` is of the axial strain.
typedef struct stz_course {
  double young_GPa, flow_GPa; // given
  double strain, largest, plastic;
  double to_and_fro; // plastic strain of cycles, on top
} stz_course;

// Follows one segment: `course` in and out.
void stz_segment_follow(const stz_segment *segment, stz_course *course);

// Takes a copy of the segments (at least one; rates are not 0). `young` in eV/nm^3. Starts at time 0, unloaded, in
// segment 0. STZ_EINTERNAL without memory.
stz_err stz_load_create(const stz_segment *segments, int count, double young, double poisson,
                        stz_load **load) STZ_MUST_USE;
void stz_load_destroy(stz_load **load);

// The drive from the present time. A segment that is due to end has until = t0 and ends_segment set; any other drive
// has until > t0. Fails with STZ_EINPUT if the segment can never end (e.g. a held strain with a stress target of the
// opposite sign, unless a duration is given).
stz_err stz_load_drive(const stz_load *load, stz_drive *drive) STZ_MUST_USE;

// Moves the present time on to `t` (t0 <= t <= until of the drive).
void stz_load_advance(stz_load *load, double t);

// Adds an event's increment of the mean plastic strain at the present time; the stress answers at once.
void stz_load_yield(stz_load *load, const double plastic[6]);

// Begins the next segment, whose time 0 is the present; false when the protocol is over.
bool stz_load_next_segment(stz_load *load);

// The index of the running segment.
int stz_load_segment(const stz_load *load);

// The state at the present time, and at a time t0 <= t <= until without moving there.
void stz_load_state(const stz_load *load, stz_macro *state);
void stz_load_state_at(const stz_load *load, double t, stz_macro *state);

// All that changes while the protocol runs, as plain bytes, for checkpoints: restoring into a load made of the same
// segments goes on from there.
size_t stz_load_saved_bytes(void);
void stz_load_save(const stz_load *load, void *saved);
void stz_load_restore(stz_load *load, const void *saved);

// Brings `to`, a load of the same segments, to where `from` is.
void stz_load_copy(const stz_load *from, stz_load *to);

// -d(stress)/d(plastic strain) of the control in force, tensor components, eV/nm^3: an event that adds the mean plastic
// strain p changes the mean stress by -stiffness p. Uniaxial: E for xx under held strain, 0 under held stress,
// S_a/(1+S_a/E) for the actuator; with finite geometry it is the limit of small p at the present strain.
void stz_load_stiffness(const stz_load *load, double stiffness[6][6]);

#endif
