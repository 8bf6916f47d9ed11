// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_LOAD_PARAMS_H
#define STZ_LOAD_PARAMS_H

// The types of segment. Each is a file src/load/segments/NAME.c and an entry here: its name in the code, the file's,
// and that of the input.
#define STZ_SEGMENTS(X)                                                                                                \
  X(STRAIN_RATE, strain_rate, "strain-rate")                                                                           \
  X(RELAXATION, relaxation, "relaxation")                                                                              \
  X(CREEP, creep, "creep")                                                                                             \
  X(ACTUATOR, actuator, "actuator")                                                                                    \
  X(RATE_JUMP, rate_jump, "rate-jump")                                                                                 \
  X(UNLOAD, unload, "unload")                                                                                          \
  X(CYCLIC, cyclic, "cyclic")                                                                                          \
  X(MIXED, mixed, "mixed")                                                                                             \
  X(AGE, age, "age")

#define STZ_SEGMENT_VALUE(TYPE, name, text) STZ_SEGMENT_##TYPE,
typedef enum stz_segment_type { STZ_SEGMENTS(STZ_SEGMENT_VALUE) STZ_SEGMENT_TYPES } stz_segment_type;

#define STZ_SEGMENT_NAME(TYPE, name, text) "|" text
#define STZ_SEGMENT_NAMES (&STZ_SEGMENTS(STZ_SEGMENT_NAME)[1]) // "strain-rate|relaxation|..."

// Which component `strain` and `stress` mean, and what holds the others.
typedef enum stz_segment_mode {
  STZ_MODE_UNIAXIAL, // xx; all other stresses are zero
  STZ_MODE_SHEAR,    // simple shear, xy; all other strains are held
} stz_segment_mode;

typedef enum stz_control { STZ_CONTROL_STRAIN, STZ_CONTROL_STRESS } stz_control;

// Whether an actuator's balance has the length and area of the specimen as it is, or as it was at the start.
typedef enum stz_geometry { STZ_GEOMETRY_SMALL, STZ_GEOMETRY_FINITE } stz_geometry;

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
  stz_geometry geometry;           // actuator, uniaxial
  double stiffness_GPa;            // actuator: S_a = E_a A_a L_s/(A_s L_a)
  double mismatch_strain;          // actuator: its free contraction over the specimen's length, from this segment on
  double release_s;                // actuator: duration of the linear release
  double duration_s;               // end: time since the start of the segment (actuator: since the end of release)
  double until_strain;             // end: total strain
  double until_stress_GPa;         // end: stress
} stz_segment;

#endif
