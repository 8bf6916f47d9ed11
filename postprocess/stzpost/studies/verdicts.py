# SPDX-License-Identifier: GPL-3.0-or-later
"""What an experiment's runs say of every measured row.

JUDGES has a function for each row that is not only echoed, TESTS the test by which it is judged. The same function judges
the null model of nulls.py: a row that it passes `follows` from inputs and calibrated numbers and is no evidence; one
that it fails is a `prediction`, and FAILS names a plausible model that would fail it too. A new row is one in
targets.toml, a function and its entries here.
"""
from ..units import POLYCRYSTAL
from . import measured, nulls, runs as plan, targets
from .experiment import DETECTION_GPA
from .targets import AGREES, Row
from .verdicts_flow import HARDENING_GPA, SENSITIVITY, STRESS_GPA, SURE, ductility, n2, n5, n6, t2, t3, t3_indentation
from .verdicts_flow import t4, t5, t6, t7, t14
from .verdicts_order import EXCESS_P, FLAT, SOME, n1, n3, n4

JUDGES = {
    "T2": t2,
    "T2 ductility": ductility,
    "T3": t3,
    "T3 indentation": t3_indentation,
    "T4": t4,
    "T5": t5,
    "T6": t6,
    "T7": t7,
    "T14": t14,
    "N1": n1,
    "N2": n2,
    "N3": n3,
    "N4": n4,
    "N5": n5,
    "N6": n6,
}
WITHOUT_NULL = (measured.INPUT, measured.CALIBRATED, measured.NOT_MODELLED)
PASSED = (AGREES,)

TESTS = {
    "T2": f"calibrated: the mean stress at 2 h of specimens at 5–10 % strain within {STRESS_GPA[0]}–{STRESS_GPA[1]} GPa",
    "T2 ductility": "not modelled; localisation stays below 1.5 in every seed",
    "T3": f"95 % interval of V (M = {POLYCRYSTAL}, log law over specimens at 5–10 %) meets {targets.VOLUME_TEXT}",
    "T3 indentation": f"95 % interval of V (M = {POLYCRYSTAL}) from flow stresses at {plan.INDENTATION_RATES[0]:g} to "
    f"{plan.INDENTATION_RATES[2]:g} /s meets {targets.INDENTATION_RANGE[0]:g}–{targets.INDENTATION_RANGE[1]:g} Å³; "
    "resolved if its half width is below 10 %",
    "T4": f"calibrated: m = ∂ln σ/∂ln ε̇ over the window from 2 h to 51 d, that is s over the window's mean stress, within "
    f"{SENSITIVITY[0]}–{SENSITIVITY[1]}",
    "T5": f"mean plastic rates at 2 h and 51 d within a factor {targets.RATE_FACTOR:g} of {targets.RATES_TEXT}",
    "T6": "the log law through 2 h, 8, 35 and 51 d is not refused for at least half of the specimens at 5–10 % (each is "
    "refused by chance with 5 %)",
    "T7": f"the loss from 2 h to 51 d reaches {1e3 * DETECTION_GPA:.0f} MPa (two readings of 20 MPa noise, 95 %) at a stress "
    f"whose 95 % interval meets {STRESS_GPA[0]}–{STRESS_GPA[1]} GPa, the only yield stress that the source states, with two "
    "specimens or more below",
    "N1": f"specimens pulled and relaxed for 51 days, then counted: 0, 1 and 5 % agree to {100 * FLAT:.0f} % in expectation, "
    "and 5 to 8 % and 8 to 12 % fall by 3 standard errors over seeds (false alarm 0.3 % each)",
    "N2": "localisation below 1.5 in every seed, in tension and after 51 days",
    "N3": "at 0 and 12 % at least 9 in 10 experiments of 8 scans see no relation beyond 3 standard errors (false alarm 2 %)",
    "N4": "null hypothesis: the scans at 12 % scatter about their mean as those of the undeformed film do about theirs, "
    f"each in units of what randomly placed clusters give; refused by an F-test (p < {EXCESS_P:g}), and 2 of 5 scans look "
    f"undeformed with {100 * SOME:.0f} % or more",
    "N5": "with softening, the uniform glass localises (mean above 1.5) and the domains less (Welch, one-sided, p < "
    f"{SURE:.2g}, 5 % for the three controls together): then in part; agrees if both controls with the barriers of the "
    "domains localise too, and the domains less than they",
    "T14": "echoed: strength (T2) over twice the shear modulus (T1), beside Johnson and Samwer's limit",
    "N6": f"slope of true stress over logarithmic strain from 8 % to {100 * plan.FRACTURE:g} %: agrees above 0 (95 %) and above "
    f"{HARDENING_GPA:.2g} GPa, which two readings of 20 MPa noise can see; differs below that (95 %); else not resolved",
}

FAILS = {
    "T7": "one dashpot without barriers of different heights; a glass that creeps below yield",
    "N1": "a loss of order of 0.6 an event: not flat while the specimen relaxes on the chip; one of 0.3 passes",
    "N4": "clusters and events that fall independently of each other; a softened glass with bands passes",
    "N6": "a glass that flows at constant true stress, as one dashpot does, or softens",
    "N5": "frozen disorder of the barriers alone, in any arrangement",
}


def rows(e):
    """The table: echoed rows from one run, the others over specimens and seeds, each beside the null model."""
    null = nulls.experiment_of(e)
    echoed = {row.key: row for row in targets.rows(e.evidence)}
    table = []
    for key in measured.ROWS:
        one = JUDGES[key](e) if key in JUDGES else echoed[key]
        one.detail = one.detail or _echo(e, key)
        one.test = TESTS.get(key, "echoed: what was put in")
        if key in JUDGES and one.cls not in WITHOUT_NULL:
            other = JUDGES[key](null)
            one.null_model, one.null_verdict = other.model, other.verdict
            one.cls = measured.FOLLOWS if other.verdict in PASSED else measured.PREDICTION
            if key == "N5" and other.model != "–":
                one.null_model = "no difference between the structures"
            one.fails = FAILS.get(key, "") if one.cls == measured.PREDICTION else ""
        table.append(one)
    return table


def _echo(e, key):
    """What the runs add to a row that is only echoed."""
    if key == "T8":
        return (
            "a circle in the source: Ω was taken from V with C' = Ω/V ≈ 10, and V = Mχγ0ΩS follows from Ω again. So Ω is put "
            "in, and neither it nor V is evidence for the other; an independent size of the zones would be"
        )
    if key == "T9":
        return (
            "the length is taken as the wavelength of the network; the other reading, domains of this width, is among the "
            "variations of run/bands"
        )
    if key == "T10" and e.specimens:
        stiffness = [one.stiffness_GPa for one in e.specimens]
        return (
            f"the array has {len(stiffness)} actuators of {min(stiffness):g} to {max(stiffness):g} GPa and one product of "
            f"stiffness and mismatch, {plan.PULL_GPA:g} GPa"
        )
    return ""
