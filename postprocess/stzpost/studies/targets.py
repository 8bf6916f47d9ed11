# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict of single runs on each measured row (targets.toml)."""
import math
from dataclasses import dataclass
from typing import Optional

from scipy.stats import chi2

from ..analysis import nbed, order, relaxation
from ..analysis.quantity import plus_minus
from ..analysis.relaxation import Relaxation
from ..analysis.tension import Tension
from ..io import measure
from ..io.result import Result
from ..units import superscript
from . import measured

AGREES, DIFFERS, UNRESOLVED, ECHOED, OPEN = "agrees", "differs", "not resolved", "echoed", "no data"

YIELD_GPA = measured.value("T2", "strength") / 1e3
SENSITIVITY = measured.value("T4", "m")
VOLUME_RANGE = (measured.ROWS["T3"].values["on_chip"].low, measured.ROWS["T3"].values["on_chip"].high)
RATES = {time: measured.value("T5", time) for time in ("2 h", "51 d")}
_LOCAL = measured.ROWS["T3 indentation"].values["volume"]
INDENTATION_RANGE = (_LOCAL.low, _LOCAL.high)
VOLUME_TEXT = "{:g}–{:g} Å³".format(*VOLUME_RANGE)
RATES_TEXT = " and ".join(f"10{superscript(f'{math.log10(rate):.0f}')}" for rate in RATES.values()) + " /s"
RATE_FACTOR = 5.0
DECADE_DROP_MPA = measured.value("T6", "decade_drop")
CLEAR, SURE = 2.0, 3.0  # standard errors of a clear decrease, and beyond which a difference contradicts: with 8 scans a
#                         chance of about 1 % (two levels, Student) or 2 % (one) each; at 2 it would be 7 and 9 %
HOMOGENEOUS = 1.5  # localisation below which deformation counts as homogeneous: our criterion, bands give 2 to 4


@dataclass
class Row:
    """What the model gives for a row of the list."""

    key: str  # of the row in targets.toml
    model: str = "–"
    verdict: str = OPEN
    detail: str = ""
    test: str = ""  # by which the verdict is reached, where the table states it beforehand
    null_model: str = ""  # what the simplest thing gives that knows the inputs and the calibrated numbers (nulls.py)
    null_verdict: str = ""  # of the same test
    fails: str = ""  # of a prediction: a plausible model that fails the test

    def __post_init__(self):
        one = measured.ROWS[self.key]
        self.id, self.quantity, self.measured, self.cls = one.id, one.quantity, one.measured, one.cls

    def record(self):
        return {
            "id": self.id,
            "quantity": self.quantity,
            "measured": self.measured,
            "model": self.model,
            "null_model": self.null_model,
            "class": self.cls,
            "verdict": self.verdict,
            "null_verdict": self.null_verdict,
            "detail": self.detail,
        } | {name: getattr(self, name) for name in ("test", "fails") if getattr(self, name)}


@dataclass
class Evidence:
    """What the files of a report gave; None where they hold no such data."""

    result: Result  # of the parameters
    relaxation: Optional[Relaxation] = None
    relaxation_result: Optional[Result] = None
    tension: Optional[Tension] = None
    levels: Optional[list[nbed.LevelStatistics]] = None
    levels_result: Optional[Result] = None


def rows(evidence):
    """The rows of the table, in order."""
    return [
        _t1(evidence),
        *_t2(evidence),
        _t3(evidence),
        Row("T3 indentation", detail="needs tension at three rates about that of nanoindentation"),
        _t4(evidence),
        _t5(evidence),
        _t6(evidence),
        Row("T7", detail="needs a series of releases to different stresses"),
        _t8(evidence),
        _t9(evidence),
        _t10(evidence),
        _t11(evidence),
        Row("T12", model="projected Ni-rich field, threshold 50 % grey", verdict=ECHOED),
        _t13(evidence),
        Row("T14", detail="needs the strength: a series of releases"),
        _n1(evidence),
        _n2(evidence),
        _n3(evidence),
        _n4(evidence),
        Row("N5", detail="needs runs of the controls: shuffled, equal-histogram and uniform fields"),
        Row("N6", detail="needs tension to 14.5 % with several seeds"),
    ]


def _t13(e):
    elastic = e.result.setting("young_GPa"), e.result.setting("poisson")
    strain = measured.value("T2 ductility", "strain") / 100
    _, force = measure.engineering(strain, YIELD_GPA, *elastic)
    text = f"at {100 * strain:g} % strain {YIELD_GPA:g} GPa are {force:.2f} GPa of force over the first area"
    return Row("T13", model="true stress, logarithmic strain", verdict=ECHOED, detail=text)


def _t1(e):
    young, poisson = e.result.setting("young_GPa"), e.result.setting("poisson")
    return Row("T1", model=f"{young:g} GPa, {poisson:g}", verdict=ECHOED)


def _t2(e):
    stress, ductility = Row("T2", detail="needs 8–12 % strain"), Row("T2 ductility")
    t = e.tension
    if t is not None:
        if math.isfinite(t.flow_GPa):
            flow = plus_minus(1e3 * t.flow_GPa, 1e3 * t.flow_error_GPa)
            stress.model = f"{flow} MPa (flow, 8–12 %, at {power(t.rate_per_s)} /s)"
            stress.verdict, stress.detail = _deviation(t.flow_GPa, YIELD_GPA), ""
        last = float(t.localisation[-1])
        ductility.model = f"localisation {last:.2f} at {100 * t.strain[-1]:.3g} %"
        ductility.verdict = "no localisation" if last < HOMOGENEOUS else "localisation" if last >= HOMOGENEOUS else OPEN
        ductility.detail = "fracture is not modelled"
    return stress, ductility


def _t3(e):
    row = Row("T3")
    if e.relaxation is None:
        return row
    volumes = e.relaxation.volumes(e.relaxation.fit)
    if e.relaxation.fit.refused:
        row.detail = "fit refused: " + e.relaxation.fit.refused
        return row
    row.model = "; ".join(plus_minus(*volumes[m]) + f" Å³ (M = {m})" for m in volumes)
    inside = [m for m in volumes if VOLUME_RANGE[0] <= volumes[m][0] <= VOLUME_RANGE[1]]
    row.verdict = AGREES if inside else DIFFERS
    row.detail = ("on chip, for M = " + ", ".join(inside)) if inside else "outside the on-chip range for every M"
    return row


def _t4(e):
    row = Row("T4")
    if e.relaxation is None:
        return row
    if e.relaxation.fit.refused:
        row.detail = "fit refused: " + e.relaxation.fit.refused
        return row
    value, error = e.relaxation.sensitivity(e.relaxation.fit)
    row.model, row.verdict = plus_minus(value, error), _deviation(value, SENSITIVITY)
    return row


def _t5(e):
    row = Row("T5")
    if e.relaxation is None:
        return row
    rates = {label: relaxation.rate_at(e.relaxation, label) for label in RATES}
    if None in rates.values():
        row.detail = "needs a relaxation from 2 h to 51 d"
        return row
    row.model = ", ".join(f"{power(rate)} /s at {label}" for label, rate in rates.items())
    factors = {
        label: max(rate / RATES[label], RATES[label] / rate) if rate > 0 else math.inf for label, rate in rates.items()
    }
    row.verdict = AGREES if max(factors.values()) <= RATE_FACTOR else DIFFERS
    row.detail = "off by factors " + ", ".join(f"{f:.2g}" for f in factors.values()) + f"; allowed {RATE_FACTOR:g}"
    return row


def _t6(e):
    row = Row("T6")
    r = e.relaxation
    if r is None or not r.marks:
        row.detail = "needs a relaxation beyond 2 h"
        return row
    row.model = ", ".join(f"{stress:.2f}" for _, stress in r.marks.values()) + " GPa at " + ", ".join(r.marks)
    row.verdict = DIFFERS if r.fit.refused else "logarithmic"
    row.detail = f"R² = {r.fit.r2:.4f}" if not r.fit.refused else r.fit.refused
    if math.isfinite(r.decade_drop_GPa):
        row.detail += f"; {1e3 * r.decade_drop_GPa:.0f} MPa a decade of time; the measured yield strength "
        row.detail += f"and rate sensitivity give about {DECADE_DROP_MPA:.0f}"
    return row


def _t8(e):
    volume = float(e.result.setting("volume_nm3"))
    row = Row("T8", model=f"{volume:g} nm³", verdict=ECHOED)
    if e.relaxation is not None and not e.relaxation.fit.refused:
        ratios = {m: 1e3 * volume / v for m, (v, _) in e.relaxation.volumes(e.relaxation.fit).items()}
        row.model += "; Ω/V = " + ", ".join(f"{ratio:.0f} (M = {m})" for m, ratio in ratios.items())
    return row


def _t9(e):
    row = Row("T9")
    micro = e.result.microstructure
    names = {
        "length_spectrum_nm": "{:.2f} nm (spectrum)",
        "length_correlation_nm": "{:.2f} nm (correlation)",
        "nickel_fraction": "Ni fraction {:.3f}",
    }
    found = [text.format(float(micro[name])) for name, text in names.items() if name in micro]
    if "percolates_rich" in micro and "percolates_poor" in micro:
        both = int(micro["percolates_rich"]) + int(micro["percolates_poor"])
        found.append(("neither domain percolates", "one domain percolates", "both domains percolate")[both])
    row.model = ", ".join(found) or "–"
    row.verdict = ECHOED if found else OPEN
    return row


def _t10(e):
    row = Row("T10")
    if e.relaxation is not None and e.relaxation.segment.type == "actuator":
        stiffness = e.relaxation_result.resolved(f"protocol[{e.relaxation.segment.index}].stiffness_GPa", "")
        row.model = f"series spring of {float(stiffness):g} GPa" if stiffness else "series spring"
        row.verdict = ECHOED
    return row


def _t11(e):
    row = Row("T11")
    if e.levels:
        attrs = e.levels_result.levels[0].attrs
        strains = ", ".join(f"{100 * level.strain:g}" for level in e.levels)
        row.model = (
            f"probe {float(attrs['probe_nm']):g} nm, {e.levels[0].scans} scans of 100 patterns at {strains} %, "
            f"foil {float(attrs['foil_nm']):g} nm"
        )
        row.verdict = ECHOED
    return row


def _n1(e):
    row = Row("N1")
    if not e.levels:
        return row
    row.model = ", ".join(f"{level.fraction:.2f} ± {level.error:.2f} at {100 * level.strain:g} %" for level in e.levels)
    row.model += "; expected " + ", ".join(f"{level.expected:.2f}" for level in e.levels)
    levels = [nbed.nearest(e.levels, strain) for strain in (0.01, 0.05, 0.08, 0.12)]
    if None in levels:
        row.detail = "needs levels at 1, 5, 8 and 12 %"
        return row
    one, five, eight, twelve = levels
    initial = nbed.nearest(e.levels, 0.0)
    same = [drop(one, five)] + ([drop(initial, one)] if initial else [])
    falls = [drop(five, eight), drop(eight, twelve)]
    if any(abs(z) > SURE for z in same) or any(z < -SURE for z in falls):
        row.verdict = DIFFERS
    else:
        row.verdict = AGREES if min(falls) > CLEAR else UNRESOLVED
    row.detail = (
        f"drops in standard errors: {same[0]:.1f} (1 to 5 %), {falls[0]:.1f} (5 to 8 %), {falls[1]:.1f} (8 to 12 %); "
        f"{CLEAR:g} count as clear, {SURE:g} as a difference"
    )
    if row.verdict == UNRESOLVED:
        row.detail += f"; {twelve.scans} scans a level are too few to tell: run/experiment, of several seeds, settles it"
    return row


def _n2(e):
    row = Row("N2")
    found = []
    if e.tension is not None:
        found.append((float(e.tension.localisation[-1]), f"at {100 * e.tension.strain[-1]:.3g} % strain"))
    if e.relaxation is not None:
        rows_ = e.relaxation_result.rows(e.relaxation.segment)
        found.append((float(rows_["localisation"].values[-1]), "at the end of the relaxation"))
    found = [one for one in found if math.isfinite(one[0])]
    if found:
        row.model = "localisation " + ", ".join(f"{value:.2f} {where}" for value, where in found)
        row.verdict = AGREES if max(value for value, _ in found) < HOMOGENEOUS else DIFFERS
        row.detail = f"1: homogeneous; below {HOMOGENEOUS:g} counts as such"
    return row


def _n3(e):
    row = Row("N3")
    levels = [nbed.nearest(e.levels, strain) for strain in (0.0, 0.12)] if e.levels else [None]
    levels = [level for level in levels if level is not None and math.isfinite(level.domain_difference)]
    if levels:
        row.model = "bright minus dark " + ", ".join(
            f"{level.domain_difference:+.2f} ± {level.domain_error:.2f} at {100 * level.strain:g} %" for level in levels
        )
        seen = any(abs(level.domain_difference) > SURE * level.domain_error for level in levels)
        row.verdict = DIFFERS if seen else AGREES
        row.detail = f"{'a' if seen else 'no'} relation beyond {SURE:g} standard errors"
        row.detail += "; projection through the foil hides most of a contrast"
    return row


def _n4(e):
    row = Row("N4")
    level = nbed.nearest(e.levels, 0.12) if e.levels else None
    if level is None or not math.isfinite(level.scatter_p):
        return row
    ratio = level.scatter / order.random_scatter(level.fraction, order.optics(e.levels_result))
    p = float(chi2.sf((level.scans - 1) * ratio**2, level.scans - 1))
    row.model = f"{ratio:.1f} times what clusters placed at random give"
    row.verdict = DIFFERS if ratio <= 1 else AGREES if p < 0.05 else UNRESOLVED
    row.detail = f"p = {p:.2g}; {level.scatter / level.counting:.1f} times counting noise, as any film with clusters has"
    initial = nbed.nearest(e.levels, 0.0) or nbed.nearest(e.levels, 0.01)
    if initial is not None:
        like = sum(fraction >= initial.fractions.min() for fraction in level.fractions)
        row.detail += f"; {like} of {level.scans} scans within the range of {100 * initial.strain:g} %"
    return row


def drop(before, after):
    """Decrease of the fraction in its standard errors."""
    error = math.hypot(before.error, after.error)
    return (before.fraction - after.fraction) / error if error > 0 else math.nan


def _deviation(value, measured):
    return f"{round(100 * (value / measured - 1)):+d} %"


def power(value):
    """1.9 × 10⁻⁷"""
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa} × 10{superscript(int(exponent))}"
