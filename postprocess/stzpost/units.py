# SPDX-License-Identifier: GPL-3.0-or-later
"""Units as in the engine (eV, nm, s, K; stress in files in GPa), and the conventions of the activation volume."""
import math

KB_EV = 8.617333262e-5  # Boltzmann's constant, eV/K
GPA = 6.2415091  # 1 GPa in eV/nm^3
ANGSTROM3 = 1000.0  # 1 nm^3 in cubic angstroms
HOUR = 3600.0
DAY = 86400.0

# V = M kB T d ln(rate)/d sigma. M: 1 for axial stress itself, sqrt 3 for its equivalent shear (von Mises), 3.06 for the
# Taylor factor of a random fcc polycrystal, which the experiments on films often use.
TAYLOR_FACTORS = {"1": 1.0, "√3": math.sqrt(3.0), "3.06": 3.06}


def activation_volume(factor, temperature, stress_scale):
    """V in cubic angstroms for `stress_scale` = d sigma/d ln(rate) in GPa."""
    return factor * KB_EV * temperature / (stress_scale * GPA) * ANGSTROM3
