// SPDX-License-Identifier: GPL-3.0-or-later
//
// The hot loops of one instruction set, ISA being one of those in isa.h: tests/CMakeLists.txt builds them under names
// of their own, with STZ_ONE_TARGET, so that the compiler's -march decides. For ISA=library: the library's own.

#define PASTE(a, b) a##_##b
#define NAME(a, b) PASTE(a, b)

#include "isa/isa.h"

void NAME(isa_pass, ISA)(const isa_input *in, isa_output *out) {
  const stz_stz_params params = {
      .volume_nm3 = 1.7, .gamma0 = 0.115, .activation_fraction = 0.5, .barrier_law = in->barrier_law, .tau_c_GPa = 2.4};
  const float *const rows[5] = {in->stress[0], in->stress[1], in->stress[2], in->stress[3], in->stress[4]};
  stz_law law;
  stz_law_set(&law, &params, in->modes, in->temperature_K, in->mean);
  for (int n = 8; n <= ISA_SITES; n += 8) {
    out->sums[n / 8 - 1] = stz_rates_sum(&law, in->modes, n, rows, in->barrier, in->rotation, out->rates);
  }
  (void)stz_rates_net(&law, in->modes, ISA_SITES, rows, in->barrier, in->rotation, NULL, out->rates, &out->axial);
  for (int z = 0; z < ISA_SITES; z++) {
    const float stress[5] = {rows[0][z], rows[1][z], rows[2][z], rows[3][z], rows[4][z]};
    stz_rates_site(&law, in->modes, stress, in->barrier[z], in->rotation[z], out->site[z]);
  }
  stz_elastic_contract(in->table, ISA_LENGTH, in->strain, in->sign, ISA_NZ, out->row[0], ISA_NZ + STZ_ROW_MARGIN);
  for (int z0 = 0; z0 < ISA_NZ; z0 += 13) stz_elastic_add_turned(out->row[z0 % 5], ISA_NZ, z0, out->turned);
}
