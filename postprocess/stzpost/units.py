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


def time_unit(seconds):
    """The unit in which a reader would tell a time, and its length in s: ("d", 86400.0) from two days on."""
    units = (("d", DAY), ("h", HOUR), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
    if not seconds > 0 or not math.isfinite(seconds):
        return "s", 1.0
    return next((one for one in units if seconds >= 2 * one[1]), units[-1])


def time_text(seconds, digits=3):
    """A time for a reader: 1.98 d, 35 h, 90 s, 0 s."""
    unit, size = time_unit(seconds)
    value = float(f"{seconds / size:.{digits}g}")
    return f"{value:.0f} {unit}" if abs(value) >= 100 else f"{value:g} {unit}"


def time_ticks(low, high, most=6):
    """Ticks of a logarithmic axis of times, as [(seconds, text)]: 1 s, 1 min, 1 h, 1 d, with tens between them as far
    as at most `most` find room."""
    units = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", HOUR), ("d", DAY))
    ends = [size for _, size in units[1:]] + [math.inf]
    ones = [(size, f"1 {name}") for name, size in units if low <= size <= high]
    tens = [
        (ten * size, f"{ten} {name}")
        for (name, size), end in zip(units, ends)
        for ten in (10, 100, 1000, 10000)
        if ten * size <= 0.6 * end and low <= ten * size <= high
    ]
    days = [one for one in tens if one[0] > DAY]
    choices = (sorted(ones + tens), sorted(ones + days), ones)
    chosen = next((one for one in choices if len(one) <= most), ones)
    return chosen[:: math.ceil(len(chosen) / most)] if chosen else []
