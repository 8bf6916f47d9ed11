// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_LOAD_PARAMS_H
#define STZ_LOAD_PARAMS_H

typedef enum stz_segment_type {
  STZ_SEGMENT_STRAIN_RATE, // axial strain grows at rate_per_s
  STZ_SEGMENT_RELAXATION,  // axial strain held
  STZ_SEGMENT_CREEP,       // axial stress held at stress_GPa (jumps there at the start)
  STZ_SEGMENT_ACTUATOR,    // stress = stiffness (mismatch(t) - strain); mismatch ramps up within release_s
  STZ_SEGMENT_AGE,         // no stress
} stz_segment_type;

// One segment of a protocol. Uniaxial stress along x: the lateral stresses are zero. What a type does not use is NAN.
// A segment ends at the first of its end conditions; those not given are NAN (creep without stress_GPa holds the
// stress that it finds).
typedef struct stz_segment {
  stz_segment_type type;
  double temperature_K;
  double rate_per_s;       // strain-rate; may be negative
  double stress_GPa;       // creep
  double stiffness_GPa;    // actuator: S_a = E_a A_a L_s/(A_s L_a)
  double mismatch_strain;  // actuator: its free contraction over the specimen's length, from this segment on
  double release_s;        // actuator: duration of the linear release
  double duration_s;       // end: time since the start of the segment (actuator: since the end of release)
  double until_strain;     // end: total axial strain
  double until_stress_GPa; // end: axial stress
} stz_segment;

#endif
