# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation volume and rate sensitivity of measured files (docs/measured.md): what kind of test a file holds, and the
estimators of `activation` that its data allow. A kind is one function here and one entry of KINDS."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
from scipy.stats import linregress, t as student

from ..errors import StzPostError
from ..io.measure import POISSON
from ..io.measured import YOUNG_GPA, Measured, clean, constant, cut, length_of
from ..units import GPA, KB_EV, ROOM_K, TAYLOR_FACTORS
from . import activation, tension
from .activation import Estimate
from .kinds import falls, levels_of, tell_kind
from .quantity import NORMAL_95, plus_minus
from .relaxation import log_mean

JSON_FACTORS = {name.replace("√", "sqrt"): factor for name, factor in TAYLOR_FACTORS.items()}
SAME_K = 1.0  # temperatures that differ by less are one


@dataclass(frozen=True)
class Settings:
    """What a file may lack, from the user; None is taken from the file or asked for."""

    kind: Optional[str] = None
    temperature_K: Optional[float] = None
    stiffness_GPa: Optional[float] = None
    mismatch: Optional[float] = None  # of the spring that pulls, over the specimen's first length
    length_um: Optional[float] = None
    error: Optional[float] = None  # GPa, or µm of a displacement
    stress_GPa: Optional[float] = None  # of a creep test
    rate_per_s: Optional[float] = None
    young_GPa: float = YOUNG_GPA
    poisson: float = POISSON
    start_s: float = 0.0
    stop_s: float = math.inf
    flow: tuple = tension.FLOW
    constraint: float = 3.0  # hardness over flow stress
    m_stress_GPa: Optional[float] = None


@dataclass
class Outcome:
    """What one file, or several together, gave."""

    file: object  # a path, or a list of them
    kind: str
    rows: int
    left_out: list
    estimates: list = field(default_factory=list)
    stress_GPa: float = math.nan  # of m
    said: list = field(default_factory=list)
    points: list = field(default_factory=list)  # (K, 1/s, GPa, error: GPa, of creep that of ln(rate)), for several files
    curve: dict = field(default_factory=dict)  # what the figure shows
    levels: list = field(default_factory=list)  # of NBED

    def sensitivity(self, estimate: Estimate) -> Optional[float]:
        return None if estimate.refused or not self.stress_GPa > 0 else estimate.s / self.stress_GPa

    def record(self) -> dict:
        """The contract of `--json`."""
        estimates = []
        for one in self.estimates:
            stands = not one.refused
            volumes = {name: one.volume(m)[0] if stands else None for name, m in JSON_FACTORS.items()}
            estimates.append(
                {
                    "method": one.method,
                    "s_GPa": one.s if stands else None,
                    "s_interval_GPa": list(one.interval) if stands else None,
                    "V_A3": volumes,
                    "m": self.sensitivity(one),
                    "t0_s": one.detail.get("t0") if stands else None,
                    "refused": one.refused or None,
                }
            )
        found = {
            "file": self.file,
            "kind": self.kind,
            "rows": self.rows,
            "left_out": self.left_out,
            "estimates": estimates,
        }
        return found | ({"levels": self.levels} if self.kind == "nbed" else {})


def analyse(measured: Measured, settings: Settings = Settings()) -> Outcome:
    """The estimates of one file."""
    kind, why = (settings.kind, "as said") if settings.kind else tell_kind(measured, settings)
    if kind not in KINDS:
        raise StzPostError(f"--kind: got {kind}, needs one of {', '.join(KINDS)}")
    measured.said.append(f"{kind} ({why})")
    needed = KINDS[kind][0]
    missing = [role for role in needed if role not in measured.columns and not _given(role, settings)]
    if missing:
        raise StzPostError(
            f"{measured.path}: {kind} needs a column of {' and of '.join(missing)}: say which with --column"
            f" {missing[0]}=NAME"
        )
    outcome = Outcome(measured.path, kind, 0, measured.left_out)
    KINDS[kind][1](measured, settings, outcome)
    outcome.rows = measured.rows
    outcome.said = measured.understood() + outcome.said
    if settings.m_stress_GPa:
        outcome.stress_GPa = settings.m_stress_GPa
    return outcome


def together(outcomes: list, settings: Settings = Settings()) -> Optional[Outcome]:
    """What several files give that none gives alone: rates, stresses of creep, temperatures. None if there is no
    such."""
    points = [point for one in outcomes for point in one.points]
    if len(outcomes) < 2 or not points:
        return None
    kinds = {one.kind for one in outcomes if one.points}
    if len(kinds) > 1 and not kinds <= {"tension", "flow"}:
        return None  # their stresses do not mean the same
    kind = kinds.pop() if len(kinds) == 1 else "flow"
    if kind == "relaxation" and np.ptp([point[0] for point in points]) < SAME_K:
        return None
    outcome = Outcome([one.file for one in outcomes], kind, len(points), [])
    outcome.estimates = _creep_of(points) if kind == "creep" else _flow_of(points)
    if kind == "relaxation":  # of one temperature each curve has its own estimate
        outcome.estimates = [one for one in outcome.estimates if one.method == "master curve"]
    outcome.stress_GPa = settings.m_stress_GPa or float(np.mean([point[2] for point in points]))
    outcome.curve = {"points": points}
    outcome.points = points
    return outcome


def _given(role, settings):
    known = {"stress": settings.stress_GPa, "rate": settings.rate_per_s, "length": settings.length_um}
    return known.get(role) is not None


def _temperature(measured, settings, outcome):
    """K: the user's, that of the file, else room temperature, which is said."""
    if settings.temperature_K:
        return settings.temperature_K
    told = constant(measured, "temperature")
    outcome.said.append(f"temperature: {told:g} K" if told else f"temperature: {ROOM_K:g} K, assumed (--temperature K)")
    return told or ROOM_K


def _clocked(measured, settings, needed):
    """Rows after the start, times from there."""
    cut(measured, settings.start_s, settings.stop_s)
    return clean(measured, needed, clock=True).columns


def _attempt(outcome, method, estimate):
    """An estimate, or a refused one when the data do not allow it."""
    try:
        found = estimate()
    except StzPostError as error:
        found = Estimate(method, math.nan, (math.nan, math.nan), math.nan, str(error))
    outcome.estimates.append(found)
    return found


def _error(measured, settings, role):
    """Errors that belong to a column, from the file or the user; None without any."""
    if settings.error:
        return np.full(measured.rows, settings.error)
    return measured.columns["error"] if "error" in measured.columns and measured.error_of == role else None


def _relaxation(measured, settings, outcome):
    temperature = _temperature(measured, settings, outcome)
    c = _clocked(measured, settings, ("time", "stress", *_own(measured, "stress")))
    time, stress, error = c["time"], c["stress"], _error(measured, settings, "stress")
    top = int(np.argmax(stress))
    if len(falls(stress)) > 1:
        raise StzPostError(f"{measured.path}: the stress rises again: --kind repeated, or cut with --from and --to")
    if top > 2 and stress[top] - stress[0] > 0.1 * max(stress[top], np.ptp(stress)):
        raise StzPostError(
            f"{measured.path}: the stress rises until {time[top]:.6g} s: if the relaxation begins there, say --from "
            f"{time[top] + settings.start_s:.6g}, from which times then count"
        )
    _by_log_law(outcome, lambda law: law(time, stress, error, temperature))
    outcome.stress_GPa = log_mean(time, stress) if len(time) > 1 else float(stress[0])
    outcome.curve = {"time": time, "stress": stress, "error": error}
    _points_of_relaxation(outcome, time, stress, temperature, settings)


def _by_log_law(outcome, estimate):
    law = _attempt(outcome, "log law", lambda: estimate(activation.log_law))
    if law.refused:
        outcome.estimates.append(Estimate("along the curve", *_none(), "the log law is refused"))
    else:
        _attempt(outcome, "along the curve", lambda: estimate(activation.along_curve))


def _none():
    return math.nan, (math.nan, math.nan), math.nan


def _points_of_relaxation(outcome, time, stress, temperature, settings):
    """Stresses and rates in four bins of the logarithm of time, for a master curve of several temperatures. The error is
    that of the readings, twice since the rate comes of them too, and as a stress that of the rate."""
    law = outcome.estimates[0]
    if law.refused:
        return
    clock = np.log(time + law.detail["t0"])
    early, late = law.detail["t0_interval"]
    place = np.minimum((4 * (clock - clock[0]) / np.ptp(clock)).astype(int), 3)
    for i in range(4):
        inside = place == i
        if np.any(inside):
            rate = law.s / math.exp(np.mean(clock[inside])) / settings.young_GPa
            reading = law.detail["error_GPa"] / math.sqrt(np.count_nonzero(inside))
            bend = np.mean(np.log((time[inside] + late) / (time[inside] + early))) / (2 * NORMAL_95)
            error = math.hypot(reading, reading, law.s * bend, np.ptp(law.interval) / (2 * NORMAL_95))
            outcome.points.append((temperature, rate, float(np.mean(stress[inside])), error))


def _displacement(measured, settings, outcome):
    temperature = _temperature(measured, settings, outcome)
    by_strain = "displacement" not in measured.columns
    role = "strain" if by_strain else "displacement"
    length = 1.0 if by_strain else settings.length_um or constant(measured, "length") or length_of(measured)
    c = _clocked(measured, settings, ("time", role, *_own(measured, role)))
    if not settings.stiffness_GPa:
        raise StzPostError(
            f"{measured.path}: a displacement gives V only with the stiffness of the spring that pulls, per area and"
            " length of the specimen: --stiffness GPA (stress = stiffness x (mismatch - u/length)); of creep say"
            " --kind creep --stress GPA"
        )
    if not length:
        raise StzPostError(
            f"{measured.path}: a displacement needs the specimen's length: --length UM, or a column length_um"
        )
    _say_spring(outcome, settings, f"{role}{'' if by_strain else f'/{length:.5g} µm'}")
    time, u, error = c["time"], c[role], _error(measured, settings, role)
    known = {"mismatch": settings.mismatch, "young_GPa": settings.young_GPa, "poisson": settings.poisson}
    spring = activation.Spring(settings.stiffness_GPa, length, **known)
    stress, stress_error, _ = activation.spring_stress(u, error, spring)
    _attempt(
        outcome,
        "displacement",
        lambda: activation.displacement_law(time, u, error, settings.stiffness_GPa, length, temperature, **known),
    )
    _attempt(outcome, "along the curve", lambda: activation.along_curve(time, stress, stress_error, temperature))
    outcome.curve = {"time": time, "displacement": u, "error": error}


def _say_spring(outcome, settings, elongation):
    line = f"stress = {settings.stiffness_GPa:g} GPa x (mismatch - {elongation})"
    if settings.mismatch is None:
        line += " on the first area: V too large by up to 10 % at 14.5 % strain, which --mismatch mends"
    else:
        line += f" x first area/area, mismatch {settings.mismatch:g}: true stress"
    outcome.said.append(line)


def _own(measured, role):
    return ("error",) if "error" in measured.columns and measured.error_of == role else ()


def _creep(measured, settings, outcome):
    temperature = _temperature(measured, settings, outcome)
    role = "strain" if "strain" in measured.columns else "displacement"
    length = 1.0 if role == "strain" else settings.length_um or constant(measured, "length")
    if not length:
        raise StzPostError(f"{measured.path}: creep needs a strain, or a displacement with --length UM")
    c = _clocked(measured, settings, ("time", role, *(("stress",) if "stress" in measured.columns else ())))
    stress = c.get("stress", np.full(measured.rows, settings.stress_GPa or math.nan))
    levels = levels_of(stress)
    if not levels:
        raise StzPostError(f"{measured.path}: creep needs stresses that are held, each for six rows at least")
    for rows in levels:
        rows = rows[len(rows) // 2 :]
        line = linregress(c["time"][rows], c[role][rows] / length)
        if line.slope > 4 * line.stderr:
            error = max(line.stderr / line.slope, 1e-6)  # of ln(rate); 0 for exact rows
            outcome.points.append((temperature, line.slope, float(np.mean(stress[rows])), error))
        else:
            outcome.said.append(
                f"at {np.mean(stress[rows]):.4g} GPa the strain does not grow beyond its scatter: left out"
            )
    outcome.said.append("rate of creep: slope of the second half of each stress's rows")
    outcome.estimates = _creep_of(outcome.points)
    outcome.stress_GPa = float(np.mean(stress))
    outcome.curve = {"time": c["time"], "strain": c[role] / length}


def _creep_of(points):
    held = Outcome("", "creep", 0, [])
    temperature, rate, stress, error = np.array(points).T if points else np.empty((4, 0))
    _attempt(held, "creep", lambda: activation.creep(stress, rate, error, float(np.mean(temperature))))
    return held.estimates


def _tension(measured, settings, outcome):
    temperature = _temperature(measured, settings, outcome)
    rate = settings.rate_per_s or constant(measured, "rate")
    timed = ("time",) if "time" in measured.columns else ()
    c = clean(measured, ("strain", "stress", *timed), clock=False).columns
    strain, stress = c["strain"], c["stress"]
    if not rate and timed:
        rate = float(np.polyfit(c["time"], strain, 1)[0])
    if not rate or rate <= 0:
        raise StzPostError(f"{measured.path}: tension needs its strain rate: --rate PER_S, or a column of time")
    order = np.argsort(strain, kind="stable")
    value, error = tension.flow_stress(strain[order], stress[order], settings.flow)
    low, high = (100 * edge for edge in settings.flow)
    if not math.isfinite(value):
        raise StzPostError(
            f"{measured.path}: strain from {100 * strain.min():.3g} to {100 * strain.max():.3g} % does not cover the"
            f" flow stress's {low:g} to {high:g} %: say --flow A,B (strains)"
        )
    outcome.said.append(
        f"flow stress {plus_minus(value, error)} GPa over {low:g} to {high:g} % strain, at {rate:.3g} /s"
    )
    outcome.points = [(temperature, rate, value, error)]
    outcome.stress_GPa = value
    outcome.estimates = [
        Estimate("steady flow", *_none(), "one rate gives no V: give files of three tests, at two rates or more")
    ]
    outcome.curve = {"strain": strain, "stress": stress}


def _flow(measured, settings, outcome):
    _flow_table(measured, settings, outcome, "stress", 1.0)


def _indentation(measured, settings, outcome):
    outcome.said.append(
        f"stress = hardness/{settings.constraint:g} (Tabor's constraint, --constraint); a constant factor of the rate"
        " changes no V"
    )
    _flow_table(measured, settings, outcome, "hardness", settings.constraint)


def _flow_table(measured, settings, outcome, role, divisor):
    known = "temperature" in measured.columns and not settings.temperature_K
    assumed = None if known else _temperature(measured, settings, outcome)
    needed = ("rate", role, *(("temperature",) if known else ()), *_own(measured, role))
    c = clean(measured, needed, clock=False).columns
    temperature = c.get("temperature", np.full(measured.rows, assumed or math.nan))
    error = _error(measured, settings, role)
    errors = np.full(measured.rows, math.nan) if error is None else error / divisor
    outcome.points = list(zip(temperature, c["rate"], c[role] / divisor, errors))
    outcome.estimates = _flow_of(outcome.points)
    outcome.stress_GPa = float(np.mean(c[role])) / divisor
    outcome.curve = {"points": outcome.points}
    if role == "hardness":
        for one in outcome.estimates:
            one.method = f"nanoindentation, {one.method}"


def _flow_of(points):
    """Steady flow at each temperature, and the master curve over several."""
    found = Outcome("", "flow", 0, [])
    temperature, rate, stress, error = np.array(points, float).T
    known = bool(np.all(np.isfinite(error) & (error > 0)))
    group = np.concatenate([[0], np.cumsum(np.diff(np.sort(temperature)) > SAME_K)])[
        np.argsort(np.argsort(temperature))
    ]
    for one in np.unique(group):
        rows = group == one
        at = float(np.mean(temperature[rows]))
        method = f"steady flow at {at:g} K" if group.max() else "steady flow"
        _attempt(
            found, method, lambda: activation.steady_flow(rate[rows], stress[rows], error[rows] if known else None, at)
        )
        found.estimates[-1].method = method
    if group.max():
        _attempt(found, "master curve", lambda: _master(temperature, rate, stress, error if known else None))
    return found.estimates


def _master(temperature, rate, stress, error):
    """The master curve's V as an estimate at the mean temperature."""
    curve = activation.master_curve(temperature, rate, stress, error)
    at = float(np.mean(temperature))
    refused = ""
    if curve.volume <= 0 or not min(curve.volume_interval) > 0:
        refused = "the stress does not grow with the rate beyond its scatter"
    elif curve.p < activation.FALSE_ALARM:
        refused = f"no single line over temperature and rate, p = {curve.p:.2g}: look at each temperature by itself"
    s = [KB_EV * at / (v * 1e-3 * GPA) for v in (curve.volume, *curve.volume_interval[::-1])]
    return Estimate("master curve", s[0], (s[1], s[2]), at, refused, {"enthalpy_eV": curve.enthalpy_eV})


def _rate_jump(measured, settings, outcome):
    temperature = _temperature(measured, settings, outcome)
    c = clean(measured, ("time", "strain", "stress"), clock=False).columns
    _attempt(outcome, "rate jumps", lambda: activation.jumps(c["time"], c["strain"], c["stress"], temperature))
    outcome.stress_GPa = float(np.mean(c["stress"]))
    outcome.curve = {"strain": c["strain"], "stress": c["stress"]}


def _repeated(measured, settings, outcome):
    temperature = _temperature(measured, settings, outcome)
    c = _clocked(measured, settings, ("time", "stress", *_own(measured, "stress")))
    time, stress, error = c["time"], c["stress"], _error(measured, settings, "stress")
    ends = []
    for peak, last in falls(stress):
        rows = slice(peak + 1, last + 1)
        if last - peak < activation.DENSE:
            raise StzPostError(
                f"{measured.path}: a relaxation from {time[peak]:.6g} s has {last - peak} rows, needs"
                f" {activation.DENSE}"
            )
        clock = time[rows] - time[peak]
        law = activation.log_law(clock, stress[rows], None if error is None else error[rows], temperature)
        sigma0, s, t0 = law.detail["sigma0"], law.s, law.detail["t0"]
        at = np.array([0.0, clock[-1]])
        ends.append((sigma0 - s * np.log1p(at / t0), s / (at + t0)))
    outcome.said.append(f"{len(ends)} relaxations; rates from the log law of each")
    _attempt(outcome, "repeated relaxations", lambda: activation.reloads(ends, temperature, fitted=True))
    outcome.stress_GPa = float(np.mean(stress))
    outcome.curve = {"time": time, "stress": stress, "error": error}


def _nbed(measured, settings, outcome):
    """Mean share of patterns with Bragg reflections at each strain, with Student's interval over scans."""
    patterns = ("patterns",) if "patterns" in measured.columns else ()
    c = clean(measured, ("strain", "bragg", *patterns), clock=False).columns
    count = c.get("patterns", np.full(measured.rows, 100.0))
    if not patterns:
        outcome.said.append("patterns: 100 a scan, assumed (a column patterns says otherwise)")
    if np.any((c["bragg"] < 0) | (c["bragg"] > count)):
        raise StzPostError(f"{measured.path}: bragg: needs counts between 0 and the number of patterns, {count[0]:g}")
    for strain in np.unique(c["strain"]):
        share = (c["bragg"] / count)[c["strain"] == strain]
        half = math.nan
        if len(share) > 1:
            half = float(student.ppf(0.975, len(share) - 1) * np.std(share, ddof=1) / math.sqrt(len(share)))
        mean = float(np.mean(share))
        interval = [max(0.0, mean - half), min(1.0, mean + half)] if math.isfinite(half) else [None, None]
        level = {"strain": float(strain), "scans": len(share), "fraction": mean, "interval": interval}
        outcome.levels.append(level)


KINDS = {  # needed columns, function
    "relaxation": (("time", "stress"), _relaxation),
    "displacement": (("time",), _displacement),
    "creep": (("time", "stress"), _creep),
    "tension": (("strain", "stress"), _tension),
    "rate-jump": (("time", "strain", "stress"), _rate_jump),
    "repeated": (("time", "stress"), _repeated),
    "flow": (("rate", "stress"), _flow),
    "indentation": (("rate", "hardness"), _indentation),
    "nbed": (("strain", "bragg"), _nbed),
}
