# SPDX-License-Identifier: GPL-3.0-or-later
"""Units as in the engine (eV, nm, s, K; stress in files in GPa), and the conventions of the activation volume."""
import math

KB_EV = 8.617333262e-5  # Boltzmann's constant, eV/K
GPA = 6.2415091  # 1 GPa in eV/nm^3
ANGSTROM3 = 1000.0  # 1 nm^3 in cubic angstroms
HOUR = 3600.0
DAY = 86400.0
YEAR = 365.25 * DAY
ROOM_K = 295.0  # temperature of the measurements

# V = M kB T d ln(rate)/d sigma. M: 1 for axial stress itself, sqrt 3 for its equivalent shear (von Mises), 3.06 for the
# Taylor factor of a random fcc polycrystal, which the experiments on films often use.
POLYCRYSTAL = "3.06"  # with it the measured m, stress and V close: docs/theory.md section 9
TAYLOR_FACTORS = {"1": 1.0, "√3": math.sqrt(3.0), POLYCRYSTAL: float(POLYCRYSTAL)}


def activation_volume(factor, temperature, stress_scale):
    """V in cubic angstroms for `stress_scale` = d sigma/d ln(rate) in GPa."""
    return factor * KB_EV * temperature / (stress_scale * GPA) * ANGSTROM3


def time_unit(seconds):
    """The unit in which a reader would tell a time, and its length in s: ("d", 86400.0) from two days on, ("s", 1.0) from
    one second on."""
    units = (("d", DAY), ("h", HOUR), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
    if not seconds > 0 or not math.isfinite(seconds):
        return "s", 1.0
    return next((one for one in units if seconds >= one[1] * (2 if one[1] > 1 else 1)), units[-1])


def time_text(seconds, digits=3):
    """A time for a reader: 1.98 d, 35 h, 90 s, 0 s."""
    unit, size = time_unit(seconds)
    value = float(f"{seconds / size:.{digits}g}")
    return f"{value:.0f} {unit}" if abs(value) >= 100 else f"{value:g} {unit}"


def _tick_table(digits, tens_from):
    """Every unit of time, and from the unit of `tens_from` seconds on these digits times powers of ten of it, as far as
    they stand clear of the next unit: [(seconds, text)]."""
    units = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", HOUR), ("d", DAY), ("y", YEAR))
    made = []
    for (name, size), end in zip(units, [size for _, size in units[1:]] + [1e12 * YEAR]):
        made.append((size, f"1 {name}"))
        counts = [digit * 10**power for power in range(13) for digit in digits]
        clear = [n for n in counts if size >= tens_from and 1 < n <= 0.6 * end / size]
        made += [(n * size, f"{_count(n)} {name}") for n in clear]
    return made


def superscript(power):
    """⁻⁷"""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def number_text(value):
    """A number for a reader: 300, 0.25, 2·10⁻⁷"""
    if value == 0 or not math.isfinite(value) or 1e-2 <= abs(value) < 1e5:
        return f"{value:.4g}".replace("-", "\u2212")
    digits, power = f"{value:.3e}".split("e")
    factor = "" if float(digits) == 1 else f"{float(digits):g}·".replace("-", "\u2212")
    return f"{factor}10{superscript(int(power))}"


def _count(number):
    """20, 5000, 2·10⁴"""
    power = len(str(number)) - 1
    if power < 4:
        return str(number)
    factor = "" if str(number)[0] == "1" else f"{str(number)[0]}·"
    return f"{factor}10{superscript(power)}"


# Ticks of axes of times, from the densest table to the sparsest. The interactive page chooses from them too.
TIME_TICKS = (_tick_table((1, 2, 5), 0.0), _tick_table((1,), 0.0), _tick_table((1,), DAY))


def time_ticks(low, high, most=6):
    """Ticks of a logarithmic axis of times, as [(seconds, text)]: the densest that find room, of the sparsest every so
    many."""
    tables = [[one for one in table if low <= one[0] <= high] for table in TIME_TICKS]
    chosen = next((one for one in tables if len(one) <= most), tables[-1])
    return chosen[:: max(1, math.ceil(len(chosen) / most))]
