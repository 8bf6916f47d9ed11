// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/load: not installed.
//
// The elastic balance of the mean stress when each component is controlled by its strain or by its stress. With the
// compliance S of the isotropic solid, strain = S stress + plastic strain; the components under strain control (u)
// solve
//   S_uu' stress_u' = imposed strain_u - plastic_u - S_uk imposed stress_k,
// in closed form, since only the normal components hang together.
#ifndef STZ_LOAD_BALANCE_H
#define STZ_LOAD_BALANCE_H

#include <stdbool.h>

typedef struct stz_balance {
  double young, poisson;
  bool strained[6];       // strain control; else stress control
  int sprung;             // the component with a spring in series, or -1
  double spring;          // its stiffness
  bool deforms;           // the spring pulls the specimen as it lengthens and thins (machine.h): not linear
  double stiffness[6][6]; // inverse of S among the strained components, zero elsewhere
} stz_balance;

// Sets the stiffness from `strained`, without a spring.
void stz_balance_set(stz_balance *balance);

// Puts a spring of that stiffness in series with a strained component that is the only normal one, or a shear: what is
// imposed on it is then the strain of both together. Strains are taken as small unless `deforms` is set afterwards.
void stz_balance_add_spring(stz_balance *balance, int component, double stiffness);

// The stress. `imposed`: strain of the strained components, stress of the others. Linear: with rates for values it
// gives the rate. Without what `deforms` means.
void stz_balance_stress(const stz_balance *balance, const double imposed[6], const double plastic[6], double stress[6]);

// S stress + plastic.
void stz_balance_strain(const stz_balance *balance, const double stress[6], const double plastic[6], double strain[6]);

#endif
