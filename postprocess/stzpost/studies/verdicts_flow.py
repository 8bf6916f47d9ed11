# SPDX-License-Identifier: GPL-3.0-or-later
"""What an experiment's runs say of stresses, rates and where they flow: a function a row, which sees runs alone, so that
the null model of nulls.py is judged by the same tests."""
import math

import numpy as np

from ..analysis import activation, tension
from ..analysis.quantity import NORMAL_95, mean_error, minus, plus_minus, welch
from ..units import POLYCRYSTAL, TAYLOR_FACTORS
from . import measured, runs as plan, targets
from .experiment import DETECTION_GPA, TIMES, at_indentation, at_room, strength, threshold
from .targets import AGREES, DIFFERS, UNRESOLVED, Row

LENGTH_UM = measured.value("T10", "specimen_length")
STRESS_GPA, SENSITIVITY = (3.15, 3.35), (0.027, 0.033)  # asked of a calibrated model
EARLY = 0.01  # plastic strain at which localisation is compared with that of the end
LIMIT, ATHERMAL = 0.0267, 0.036  # Johnson and Samwer's yield strain in shear, at room temperature and at 0 K
HARDENING_GPA = DETECTION_GPA / (plan.FRACTURE - tension.FLOW[0])  # slope that two readings can see
NARROW = 0.1  # half width over value below which a volume counts as known
SURE = 0.05 / (len(plan.STRUCTURES) - 1)  # p of one comparison: 5 % for all controls together


def text_of(value, error, unit="", digits=3):
    return minus(plus_minus(value, error, digits) + (f" {unit}" if unit else ""))


def t2(e):
    row = Row("T2")
    flowing = [one for one in e.specimens if one.flowing]
    if flowing:
        means = np.mean([one.stress[:, 0].mean() for one in flowing])
        _, (low, high) = activation.bootstrap([one.stress[:, 0] for one in flowing], np.mean)
        row.model = f"{1e3 * means:.0f} MPa at 2 h (95 %: {1e3 * low:.0f}–{1e3 * high:.0f})"
        row.verdict = AGREES if STRESS_GPA[0] <= means <= STRESS_GPA[1] else DIFFERS
        row.detail = f"on chip, {len(flowing)} specimens of {len(flowing[0].stress)} seeds"
        if e.pulled:
            flow, error = mean_error([one.flow_GPa for one in e.pulled])
            over, over_error = mean_error([one.overshoot for one in e.pulled])
            row.detail += f"; in tension at 10⁻⁶ /s flow {text_of(flow, error, 'GPa')}, upper yield "
            row.detail += f"{text_of(over, over_error)} of it: the source has no number for that"
    return row


def ductility(e):
    row = Row("T2 ductility")
    if e.pulled:
        worst = max(float(one.localisation[-1]) for one in e.pulled)
        row.model = f"localisation at most {worst:.2f} at {100 * plan.FRACTURE:g} %, {len(e.pulled)} seeds"
        row.verdict = "no localisation" if worst < targets.HOMOGENEOUS else "localisation"
        row.detail = "fracture is not modelled"
    return row


def _estimate_text(one, factor):
    v, low, high = one.volume(factor)
    return f"{v:.0f} ({low:.0f}–{high:.0f})"


def t3(e):
    row = Row("T3")
    main = e.estimates[0] if e.estimates else None
    if main is None or main.refused:
        row.detail = main.refused if main else ""
        return row
    row.model = "; ".join(f"{_estimate_text(main, f)} Å³ (M = {m})" for m, f in TAYLOR_FACTORS.items())
    _, low, high = main.volume(TAYLOR_FACTORS[POLYCRYSTAL])
    row.verdict = AGREES if low <= targets.VOLUME_RANGE[1] and high >= targets.VOLUME_RANGE[0] else DIFFERS
    shown = [one for one in e.estimates[1:] if not one.refused]
    others = [f"{one.method} {_estimate_text(one, TAYLOR_FACTORS[POLYCRYSTAL])}" for one in shown]
    row.detail = (
        f"mean and 95 % interval over specimens and seeds ({main.detail['n']} runs, {main.detail['refused']} fits "
        f"refused); other estimators at M = {POLYCRYSTAL}: {', '.join(others)} Å³; microscopic χγ0ΩS = {e.microscopic:.1f} Å³, "
        f"V(M = 1) is {main.volume(1.0)[0] / e.microscopic:.2f} of it. Since V = M kT/(mσ), and m and σ are calibrated, "
        "V adds no independent evidence, and Ω in it was taken from the measured V"
    )
    return row


def t3_indentation(e):
    row = Row("T3 indentation")
    found = at_indentation(e)
    if found is None or found.refused:
        row.detail = found.refused if found else "needs flow stresses at three rates"
        return row
    row.model = "; ".join(f"{_estimate_text(found, f)} Å³ (M = {m})" for m, f in TAYLOR_FACTORS.items())
    v, low, high = found.volume(TAYLOR_FACTORS[POLYCRYSTAL])
    meets = low <= targets.INDENTATION_RANGE[1] and high >= targets.INDENTATION_RANGE[0]
    row.verdict = DIFFERS if not meets else AGREES if (high - low) / 2 <= NARROW * v else UNRESOLVED
    stress, error = mean_error(next(one for one in e.indentation if one.rate_per_s == plan.INDENTATION_RATE).stress_GPa)
    row.detail = (
        f"local slope of {found.detail['n']} runs; flow stress {text_of(stress, error, 'GPa')} at "
        f"{plan.INDENTATION_RATE:g} /s, in tension: the stress under an indenter is not modelled"
    )
    return row


def t4(e):
    row = Row("T4")
    main = e.estimates[0] if e.estimates else None
    if main is None or main.refused:
        return row
    m, low, high = (s / e.mean_stress for s in (main.s, *main.interval))
    row.model = f"{m:.4f} (95 %: {low:.4f}–{high:.4f})"
    row.verdict = AGREES if SENSITIVITY[0] <= m <= SENSITIVITY[1] else DIFFERS
    row.detail = (
        f"log law on chip, specimens at 5–10 % strain; beside it, not judged: {main.s / strength(e):.4f} over the stress "
        "at 2 h"
    )
    steady = next((one for one in e.estimates if one.method == "steady flow" and not one.refused), None)
    if steady:
        stress = np.mean([np.mean(one.stress_GPa) for one in at_room(e.flow)])
        rates = [one.rate_per_s for one in at_room(e.flow)]
        row.detail += (
            f"; steady flow from {targets.power(min(rates))} to {targets.power(max(rates))} /s, over the mean flow stress: "
            f"{steady.s / stress:.4f}"
        )
    return row


def t5(e):
    row = Row("T5")
    flowing = [one for one in e.specimens if one.flowing]
    if not flowing:
        return row
    shown, factors = [], []
    for i, label in enumerate(TIMES):
        if label in targets.RATES:
            logarithm, interval = activation.bootstrap([np.log(one.rate[:, i]) for one in flowing], np.mean)
            rate, (low, high) = math.exp(logarithm), np.exp(interval)
            shown.append(f"{targets.power(rate)} /s at {label} (95 %: {targets.power(low)}–{targets.power(high)})")
            factors.append(max(rate / targets.RATES[label], targets.RATES[label] / rate))
    row.model = ", ".join(shown)
    row.verdict = AGREES if max(factors) <= targets.RATE_FACTOR else DIFFERS
    row.detail = "geometric mean over specimens and seeds; off by factors " + ", ".join(f"{f:.2g}" for f in factors)
    return row


def t6(e):
    row = Row("T6")
    flowing = [one for one in e.specimens if one.flowing]
    if not flowing:
        return row
    seeds = np.mean([one.stress for one in flowing], axis=0)  # mean of the specimens, seeds x times
    means = seeds.mean(axis=0)
    row.model = ", ".join(text_of(*mean_error(s)) for s in seeds.T) + " GPa at " + ", ".join(TIMES)
    readings = next((one for one in e.estimates if one.method.endswith("readings")), None)
    row.verdict = DIFFERS if readings is None or readings.refused else AGREES
    decades = math.log10(TIMES["51 d"] / TIMES["2 h"])
    stands = readings.refused or f"log law refused for {readings.detail['refused']} of {len(flowing)} specimens"
    slope = np.mean([_displacement_slope(one) for one in flowing])
    row.detail = (
        f"{stands}; {1e3 * (means[0] - means[-1]) / decades:.0f} MPa a decade of time; the "
        f"measured yield strength and rate sensitivity give about {targets.DECADE_DROP_MPA:.0f}; u(t) = "
        f"A1 ln t + A2 with A1 = {slope:.1f} nm on average"
    )
    return row


def _displacement_slope(one):
    """A1 of u = A1 ln t + A2 in nm, seeds averaged."""
    u = 1e3 * LENGTH_UM * one.strain.mean(axis=0)
    return float(np.polyfit(np.log(list(TIMES.values())), u, 1)[0])


def t7(e):
    row = Row("T7")
    if not e.specimens:
        return row
    found = threshold(e)
    row.model = "no single crossing" if found.stress_GPa is None else text_of(found.stress_GPa, found.error, "GPa")
    below = sum(loss <= DETECTION_GPA for _, loss in found.points)
    row.verdict = DIFFERS
    if found.stress_GPa is not None and below >= 2:
        low, high = (found.stress_GPa + sign * NORMAL_95 * found.error for sign in (-1, 1))
        row.verdict = AGREES if low <= STRESS_GPA[1] and high >= STRESS_GPA[0] else DIFFERS
    pairs = ", ".join(f"{s:.2f} GPa: {1e3 * loss:.0f}" for s, loss in found.points)
    row.detail = (
        f"loss in MPa from 2 h to 51 d by the stress at 2 h: {pairs}; where the loss reaches {1e3 * DETECTION_GPA:.0f} MPa, ln "
        f"of the loss between specimens; error {1e3 * found.seed_error:.0f} MPa from seeds and {1e3 * found.array_error:.0f} "
        "MPa from taking every second spring. The source states no number for its static yield stress; its yield strength "
        "is taken for it. Read as the stress at which specimens that have flowed still relax after 51 days, it would be at "
        f"most {_still_relaxing():.2f} GPa, by the measured strength and rate sensitivity"
    )
    return row


def _still_relaxing():
    """Stress after 51 d of a specimen that flowed at the measured strength at 2 h, by the measured rate sensitivity."""
    return targets.YIELD_GPA * (1 - targets.SENSITIVITY * math.log(TIMES["51 d"] / TIMES["2 h"]))


def n2(e):
    row = Row("N2")
    ends = [float(one.localisation[-1]) for one in e.pulled]
    chips = [float(x) for one in e.specimens if one.flowing for x in one.localisation]
    if ends and chips:
        row.model = f"localisation {np.mean(ends):.2f} (largest {max(ends):.2f}) at {100 * plan.FRACTURE:g} %, "
        row.model += f"{np.mean(chips):.2f} "
        row.model += f"({max(chips):.2f}) after 51 d"
        row.verdict = AGREES if max(ends + chips) < targets.HOMOGENEOUS else DIFFERS
        beyond = sum(one >= targets.HOMOGENEOUS for one in ends + chips)
        row.detail = (
            f"{beyond} of {len(ends)} samples in tension and {len(chips)} on chip beyond {targets.HOMOGENEOUS:g}; 1: "
            f"homogeneous. In tension the mean goes from {_localisation_at(e.pulled, EARLY):.2f} at {100 * EARLY:g} % plastic "
            f"strain to {np.mean(ends):.2f} at the end: what is uneven at first evens out, a band would grow. The glass has "
            "no softening in this model, so that it is built to be homogeneous: the "
            "last row, of the domains' role, has softening"
        )
    return row


def t14(e):
    """The strength over twice the shear modulus: yield of a glass in shear strain, Johnson and Samwer's measure."""
    row = Row("T14")
    if any(one.flowing for one in e.specimens):
        setting = e.evidence.result.setting
        shear = setting("young_GPa") / (2 * (1 + setting("poisson")))
        row.model = f"{strength(e) / (2 * shear):.4f} = σ/2μ, {strength(e) / (2 * shear) / LIMIT:.1f} times the limit"
        row.verdict = targets.ECHOED
        row.detail = (
            f"the limit: {LIMIT:g}, the yield strain in shear of bulk metallic glasses at room temperature by Johnson and "
            f"Samwer, {ATHERMAL:g} at 0 K; the film's own strength and modulus give {targets.YIELD_GPA / (2 * shear):.3f}. Both are "
            "put in: the row is no evidence, but says that the film's barriers are not those of bulk glasses"
        )
    return row


def n6(e):
    """Slope of true stress over logarithmic strain in flow, a value a seed."""
    row = Row("N6")
    found = [tension.hardening(one.strain, one.stress_GPa) for one in e.pulled if hasattr(one, "strain")]
    found = [one for one in found if math.isfinite(one[0])]
    if not found:
        row.detail = "needs tension to 12 % and beyond"
        return row
    slope, error = mean_error([one[0] for one in found])
    error = error if len(found) > 1 else found[0][1]
    half = NORMAL_95 * error
    row.model = f"dσ/dε = {text_of(slope, error)} GPa from 8 to {100 * plan.FRACTURE:g} %"
    row.verdict = UNRESOLVED
    if slope - half > 0 and slope >= HARDENING_GPA:
        row.verdict = AGREES
    elif slope + half < HARDENING_GPA:
        row.verdict = DIFFERS
    row.detail = (
        f"{len(found)} runs; true stress over logarithmic strain. By Considère the force over the first area rises only where "
        f"the slope exceeds the stress, {targets.YIELD_GPA:g} GPa"
    )
    return row


def _localisation_at(pulled, plastic):
    """Mean over seeds at a plastic strain."""
    return float(np.mean([np.interp(plastic, one.plastic, one.localisation) for one in pulled]))


def n5(e):
    row = Row("N5")
    strong = {structure: runs for (structure, softening), runs in e.bands.items() if softening > 0}
    values = {name: [float(one.localisation[-1]) for one in runs] for name, runs in strong.items()}
    if set(values) < set(plan.STRUCTURES) or min(map(len, values.values())) < 2:
        row.detail = "needs two seeds of each control"
        return row
    less = {name: welch(values["domains"], values[name])[2] for name in values if name != "domains"}
    row.model = (
        ", ".join(f"{name} {text_of(*mean_error(v))}" for name, v in values.items()) + " (localisation, with softening)"
    )
    means = {name: float(np.mean(v)) for name, v in values.items()}

    def suppressed(control):
        return means[control] > targets.HOMOGENEOUS and less[control] < SURE

    row.verdict = UNRESOLVED
    if suppressed("uniform"):
        row.verdict = AGREES if suppressed("shuffled") and suppressed("equal-histogram") else "in part"
    row.detail = "p of no less localisation than " + ", ".join(f"{name} {p:.2g}" for name, p in less.items())
    plain = {name: [float(x.localisation[-1]) for x in runs] for (name, soft), runs in e.bands.items() if soft == 0}
    row.detail += "; without softening " + ", ".join(f"{name} {np.mean(v):.2f}" for name, v in plain.items())
    row.detail += f". Softening {plan.SOFTENING_EV:g} eV; run/bands varies it, the domains and the box"
    return row
