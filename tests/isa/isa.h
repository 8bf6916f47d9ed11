// SPDX-License-Identifier: GPL-3.0-or-later
//
// One pass of the hot loops over given data; tests/isa/pass.c is compiled once for each instruction set.
#ifndef STZ_TESTS_ISA_H
#define STZ_TESTS_ISA_H

#include "elastic/row.h"
#include "stz/rates.h"

enum { ISA_SITES = STZ_RATES_MOST, ISA_NZ = 104, ISA_LENGTH = 56 }; // 104 = 13 x 8: no power of two

typedef struct isa_input {
  const stz_modes *modes;
  stz_barrier_law barrier_law;
  double mean[6], temperature_K;
  float stress[5][ISA_SITES], barrier[ISA_SITES];
  uint16_t rotation[ISA_SITES];
  float table[STZ_PAIRS * ISA_LENGTH], strain[5], sign[5];
} isa_input;

typedef struct isa_output {
  double sums[ISA_SITES / 8]; // of 8, 16, ... sites
  double axial;               // of all
  float rates[ISA_SITES], site[ISA_SITES][STZ_MODES][2];
  float row[5][ISA_NZ + STZ_ROW_MARGIN], turned[ISA_NZ];
} isa_output;

void isa_pass_base(const isa_input *in, isa_output *out);
void isa_pass_unoptimised(const isa_input *in, isa_output *out);
void isa_pass_v3(const isa_input *in, isa_output *out);
void isa_pass_v4(const isa_input *in, isa_output *out);
void isa_pass_library(const isa_input *in, isa_output *out);

#endif
