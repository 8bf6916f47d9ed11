# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic measurements of every kind that `stz-post measured` knows, with a known s, written as laboratories write
them."""
import math

import numpy as np

KB_EV, GPA = 8.617333262e-5, 6.2415091


def text(head, columns, form="%.9g", separator=","):
    """Lines of a file."""
    return "\n".join([head, *(separator.join(form % value for value in row) for row in zip(*columns))]) + "\n"


def law(time, s, t0):
    return 3.3 - s * np.log1p(time / t0)


def relaxation(rng, s):
    """40 rows from the start on, with errors."""
    time = np.geomspace(1, 1e6, 40)
    stress = law(time, s, 10 ** rng.uniform(0.5, 2.0)) + 0.01 * rng.standard_normal(40)
    return [text("time_s,stress_GPa,error_GPa", [time, stress, np.full(40, 0.01)])], {}


def scatter(rng, s):
    """Seven readings of long after the start, without errors: hours and MPa."""
    time = np.geomspace(7200, 4.4e6, 7)
    stress = law(time, s, 10 ** rng.uniform(0.3, 2.5)) + 0.01 * rng.standard_normal(7)
    return [text("t (h);Stress [MPa]", [time / 3600, 1e3 * stress], separator=";")], {}


def displacement(rng, s):
    """A specimen of 25 µm under a spring of 40 GPa, min and nm."""
    time = np.geomspace(7200, 4.4e6, 10)
    u = 25e3 * (0.115 - law(time, s, 10 ** rng.uniform(0.3, 2.5)) / 40.0) + 6.0 * rng.standard_normal(10)
    return [text("time_min\tu_nm\terror_nm", [time / 60, u, np.full(10, 6.0)], separator="\t")], {
        "stiffness_GPa": 40.0,
        "length_um": 25.0,
    }


def creep(rng, s):
    """Strain under five held stresses, percent."""
    files = []
    for stress in np.linspace(2.6, 3.2, 5):
        rate = 1e-8 * math.exp((stress - 3.0) / s)
        time = np.linspace(0, 0.01 / rate, 60)
        strain = 0.04 + rate * time + 2e-4 * rng.standard_normal(60)
        files.append(text("time_s,strain_%,stress_GPa", [time, 100 * strain, np.full(60, stress)]))
    return files, {}


def flow_stresses(rng, s, rates, temperature=295.0, scatter=0.01):
    """Curves to 12 % strain whose flow stress scatters from specimen to specimen."""
    files = []
    for rate in rates:
        strain = np.linspace(0, 0.125, 400)
        level = 3.2 + s * math.log(rate / 1e-6) + scatter * rng.standard_normal()
        stress = np.minimum(72 * strain, level) + 0.02 * rng.standard_normal(400)
        files.append(
            text(
                "Time [s],Strain [%],Stress [MPa],Temperature [K]",
                [strain / rate, 100 * strain, 1e3 * stress, np.full(400, temperature)],
            )
        )
    return files, {}


def tension(rng, s):
    return flow_stresses(rng, s, (1e-7, 1e-6, 1e-5, 1e-4, 1e-3))


def rate_jump(rng, s):
    """Six plateaus of 1.5 % strain at two rates."""
    strain, time, stress = [0.08], [8e4], [3.3]
    for i in range(6):
        rate = (1e-4, 1e-6)[i % 2]
        target, before = 3.3 + s * math.log(rate / 1e-6), stress[-1]
        for d in np.arange(0.0005, 0.015 + 1e-9, 0.0005):
            strain.append(0.08 + i * 0.015 + d)
            time.append(time[-1] + 0.0005 / rate)
            stress.append(target + (before - target) * math.exp(-d / 0.0015))
    stress = np.array(stress) + 0.02 * rng.standard_normal(len(stress))
    return [text("time_s,strain,stress_GPa", [time, strain, stress])], {}


def repeated(rng, s):
    """Six relaxations of 2000 s with reloads to 3.3 GPa: the rate is a function of the stress alone."""
    clock = np.geomspace(1, 2000, 60)
    t0 = 10 ** rng.uniform(1, 1.6)
    time = np.concatenate([2100 * i + np.concatenate([[0.5], clock]) for i in range(6)])
    stress = np.tile(law(np.concatenate([[0.0], clock]), s, t0), 6) + 0.004 * rng.standard_normal(len(time))
    return [text("time_s,stress_GPa", [time, stress])], {}


def indentation(rng, s):
    """Hardness in GPa at eight rates, constraint 3."""
    rate = np.geomspace(1e-3, 1, 8)
    hardness = 3 * (2.0 + s * np.log(rate / 0.05)) + 0.05 * rng.standard_normal(8)
    return [text("strain_rate_per_s,hardness_GPa", [rate, hardness])], {}


def master(rng, s):
    """Flow stresses at three temperatures and three rates; s at their mean temperature."""
    rate, temperature = (x.ravel() for x in np.meshgrid([1e-6, 1e-4, 1e-2], [250.0, 295.0, 350.0]))
    at = float(np.mean(temperature))
    stress = 8.0 - temperature / at * s * (35.0 - np.log(rate)) + 0.02 * rng.standard_normal(9)
    return [
        text("rate_per_s,stress_GPa,temperature_C,error_GPa", [rate, stress, temperature - 273.15, np.full(9, 0.02)])
    ], {}


def relaxations(rng, s):
    """Three temperatures, one V: s in proportion to the temperature, 300 K in the middle."""
    time, files = np.geomspace(1, 1e6, 40), []
    for temperature in (250.0, 300.0, 350.0):
        own, t0 = s * temperature / 300, 10 ** rng.uniform(0.5, 2.0)
        stress = 14.0 - temperature / 300 * s * (60.0 - np.log(own / (time + t0) / 72)) + 0.01 * rng.standard_normal(40)
        files.append(
            text("time_s,stress_GPa,T_K,error_GPa", [time, stress, np.full(40, temperature), np.full(40, 0.01)])
        )
    return files, {}


KINDS = {  # kind -> (maker, the method whose interval is looked at)
    "relaxation": (relaxation, "log law"),
    "relaxation, along the curve": (relaxation, "along the curve"),
    "relaxation without errors": (scatter, "log law"),
    "displacement": (displacement, "displacement"),
    "creep": (creep, "creep"),
    "tension": (tension, "steady flow"),
    "rate-jump": (rate_jump, "rate jumps"),
    "repeated": (repeated, "repeated relaxations"),
    "indentation": (indentation, "nanoindentation, steady flow"),
    "master": (master, "master curve"),
    "master of relaxations": (relaxations, "master curve"),
}
