// SPDX-License-Identifier: GPL-3.0-or-later
//
// The energy of an event and detailed balance.
#include "physics/wave_energy.h"
#include "stz/rates.h"
#include "worse.h"

enum { EARLIER = 20, EVENTS = 12 };
static const double HOT = 600.0, ACTUATOR = 40.0 * STZ_GPA;

// What the mean stress stores: in the specimen at held strain; in the specimen and the spring of the actuator; and at
// held stress, less the work of the load.
static double mean_energy(stz_segment_type control, const stz_macro *macro, double volume) {
  const double sigma = macro->stress[STZ_XX];
  if (control == STZ_SEGMENT_CREEP) return -volume * sigma * macro->plastic[STZ_XX];
  const double compliance = 1.0 / YOUNG + (control == STZ_SEGMENT_ACTUATOR ? 1.0 / ACTUATOR : 0.0);
  return 0.5 * volume * sigma * sigma * compliance;
}

// Resolved stress along `shear`, its sign included, from the engine's stress and the load's mean stress, eV/nm^3.
static double resolved(const kmc_setup *s, const stz_shear *shear, const stz_macro *macro) {
  double p[6], deviator[5], stress[6];
  mode_tensor(s, shear->mode, shear->rotation, p);
  engine_stress(s, shear->site, deviator);
  stz_sym_from_dev(deviator, stress);
  for (int v = 0; v < 6; v++) stress[v] += macro->stress[v];
  return shear->sign * stz_sym_dot(p, stress);
}

// ln of the engine's rate of `shear`, as it is summed and drawn from, in single precision.
static double ln_rate(const kmc_setup *s, const stz_shear *shear, const stz_macro *macro) {
  stz_law law;
  float rates[STZ_MODES][2], stress[5];
  for (int c = 0; c < 5; c++) stress[c] = stz_kmc_stress(s->kmc, c)[shear->site];
  stz_law_set(&law, stz_glass_stz(s->glass), stz_glass_modes(s->glass), macro->temperature_K, macro->stress);
  stz_rates_site(&law, stz_glass_modes(s->glass), stress, stz_glass_barrier(s->glass)[shear->site], shear->rotation,
                 rates);
  const float rate = rates[shear->mode][shear->sign < 0];
  CHECK(rate > 0x1p-100f && rate < 1.0f, "rate %g: at a floor, or without barrier", (double)rate);
  return log((double)rate);
}

// Errors of one event's energy by four ways, eV.
typedef struct errors {
  double work, self, balance, mean_stress;
} errors;

// Lets one event happen. dE, the difference of the energies above, against -1/2 gamma0 Omega (tau_before + tau_after);
// against -gamma0 Omega tau_before plus the energy of the event alone in the box, 1/2 gamma0 Omega |dtau_self|; and
// against kT ln(rate back/rate forth), as chi = 1/2 and the barrier is kept.
static void one_event(kmc_setup *s, stz_load *load, stz_segment_type control, inclusion *list, int *count,
                      errors *worst) {
  const double volume = stz_grid_volume(s->grid), quantum = KMC_STZ.gamma0 * KMC_STZ.volume_nm3;
  stz_event event;
  stz_mean_stress mean;
  stz_macro before, after;
  double strain[6], total, plastic_rate;
  CHECK(load_to_event(s, load, &event, &mean), "no event");
  stz_load_state(load, &before);
  const double tau_before = resolved(s, &event.shear, &before), forth = ln_rate(s, &event.shear, &before);
  const double energy_before = fluctuation_energy(list, *count) + mean_energy(control, &before, volume);
  load_fire(s, load, &event, strain);
  stz_kmc_rates(s->kmc, &mean, &total, &plastic_rate); // brings the stress up to date
  stz_load_state(load, &after);

  inclusion *made = &list[(*count)++];
  stz_grid_coords(s->grid, event.shear.site, made->xyz);
  mode_tensor(s, event.shear.mode, event.shear.rotation, made->strain);
  for (int v = 0; v < 6; v++) made->strain[v] *= event.shear.sign * KMC_STZ.gamma0;
  const double change = fluctuation_energy(list, *count) + mean_energy(control, &after, volume) - energy_before;

  double matrix[6][6];
  stz_load_stiffness(load, matrix);
  const double plastic = made->strain[STZ_XX] * KMC_STZ.volume_nm3 / volume, stiffness = matrix[STZ_XX][STZ_XX];
  const double by_stiffness = before.stress[STZ_XX] - stiffness * plastic;
  const double alone = fluctuation_energy(made, 1) + 0.5 * volume * stiffness * plastic * plastic;
  stz_shear back = event.shear;
  back.sign = -back.sign;
  const double tau_after = -resolved(s, &back, &after), returns = ln_rate(s, &back, &after);
  worst->work = worse(worst->work, fabs(-0.5 * quantum * (tau_before + tau_after) - change));
  worst->self = worse(worst->self, fabs(-quantum * tau_before + alone - change));
  worst->balance = worse(worst->balance, fabs(STZ_BOLTZMANN * HOT * (returns - forth) - change));
  worst->mean_stress = worse(worst->mean_stress, fabs(by_stiffness - after.stress[STZ_XX]));
}

// Events at 3 GPa, held, then events under another control. Limits: single precision of stresses of some 30 eV/nm^3 and
// of exponents of 70 leaves 1e-6 eV of energies of a few tenths of an eV.
static void controls(stz_segment_type type, const char *name, uint64_t seed) {
  const kmc_spec spec = {.cells = {CELLS, CELLS, CELLS},
                         .young_GPa = 72.0,
                         .mean_eV = 2.352,
                         .width_eV = 0.10,
                         .redraw = STZ_REDRAW_NONE,
                         .orientation = STZ_ORIENTATION_RANDOM,
                         .micro = STZ_MICRO_RANDOM_WAVES,
                         .seed = seed};
  stz_segment protocol[2] = {segment_of(STZ_SEGMENT_CREEP, HOT, 1e9), segment_of(type, HOT, 1e9)};
  protocol[0].stress_GPa = 3.0;
  protocol[1].stiffness_GPa = ACTUATOR / STZ_GPA;
  protocol[1].mismatch_strain = 0.01;
  protocol[1].release_s = 0.0;
  static inclusion list[EARLIER + EVENTS];
  int count = 0;
  kmc_setup s;
  stz_load *load;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  CHECK_OK(stz_load_create(protocol, 2, YOUNG, POISSON, &load));
  for (int phase = 0; phase < 2; phase++) {
    errors worst = {0};
    while (count < EARLIER + phase * EVENTS) one_event(&s, load, protocol[phase].type, list, &count, &worst);
    printf("%s: largest errors %.1e eV by the stress before and after, %.1e eV by the event alone, %.1e eV by detailed "
           "balance\n",
           phase ? name : "held stress", worst.work, worst.self, worst.balance);
    CHECK(worst.work < 4e-6 && worst.self < 4e-6, "%s: the work is not the change of energy", name);
    CHECK(worst.balance < 4e-6, "%s: no detailed balance", name);
    CHECK(worst.mean_stress < 1e-9, "%s: the mean stress does not follow the stiffness", name);
    CHECK(phase || stz_load_next_segment(load), "no other control");
  }
  stz_load_destroy(&load);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  controls(STZ_SEGMENT_RELAXATION, "held strain", 31);
  controls(STZ_SEGMENT_ACTUATOR, "actuator", 32);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
