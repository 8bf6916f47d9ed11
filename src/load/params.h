// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_LOAD_PARAMS_H
#define STZ_LOAD_PARAMS_H

typedef enum stz_segment_type {
  STZ_SEGMENT_STRAIN_RATE, // the strain moves at rate_per_s
  STZ_SEGMENT_RELAXATION,  // strain held
  STZ_SEGMENT_CREEP,       // stress held at stress_GPa (jumps there at the start)
  STZ_SEGMENT_ACTUATOR,    // stress = stiffness (mismatch(t) - strain); mismatch ramps up within release_s
  STZ_SEGMENT_RATE_JUMP,   // the strain grows at rates_per_s by turns, each for strain_each
  STZ_SEGMENT_UNLOAD,      // the strain moves at rate_per_s until the stress is until_stress_GPa (0 without it)
  STZ_SEGMENT_CYCLIC,      // at rate_per_s to the first turn, then to the second: a cycle; `cycles` of them
  STZ_SEGMENT_MIXED,       // each of the six components by its strain or by its stress, at rates of their own
  STZ_SEGMENT_AGE,         // no stress
} stz_segment_type;

// Which component `strain` and `stress` mean, and what holds the others.
typedef enum stz_segment_mode {
  STZ_MODE_UNIAXIAL, // xx; all other stresses are zero
  STZ_MODE_SHEAR,    // simple shear, xy; all other strains are held
} stz_segment_mode;

typedef enum stz_control { STZ_CONTROL_STRAIN, STZ_CONTROL_STRESS } stz_control;

enum { STZ_LIST_SIZE = 8 };

typedef struct stz_list {
  int count; // 0 where a type does not use it
  double value[STZ_LIST_SIZE];
} stz_list;

// One segment of a protocol. What a type does not use is NAN, or an empty list. Strains are tensor components (xy: half
// the engineering shear). A segment ends at the first of its end conditions; those not given are NAN (creep without
// stress_GPa holds the stress that it finds).
typedef struct stz_segment {
  stz_segment_type type;
  stz_segment_mode mode; // all but mixed and age
  double temperature_K;
  double temperature_end_K;        // reached linearly within duration_s; NAN or 0: constant
  double rate_per_s;               // strain-rate (may be negative); unload, cyclic: its size
  stz_list rates_per_s;            // rate-jump: positive
  double strain_each;              // rate-jump: strain between jumps
  stz_list turn_strains;           // cyclic: two strains, or
  stz_list turn_stresses_GPa;      //   two stresses
  int cycles;                      // cyclic
  stz_list control;                // mixed: six stz_control; order xx yy zz yz xz xy
  stz_list strain_rates_per_s;     // mixed: six rates; unused where the stress is controlled
  stz_list stress_rates_GPa_per_s; // mixed: six rates, from the stress that is found; unused where the strain is
  double stress_GPa;               // creep
  double stiffness_GPa;            // actuator: S_a = E_a A_a L_s/(A_s L_a)
  double mismatch_strain;          // actuator: its free contraction over the specimen's length, from this segment on
  double release_s;                // actuator: duration of the linear release
  double duration_s;               // end: time since the start of the segment (actuator: since the end of release)
  double until_strain;             // end: total strain
  double until_stress_GPa;         // end: stress
} stz_segment;

#endif
