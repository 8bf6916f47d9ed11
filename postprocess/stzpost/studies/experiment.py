# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole experiment: what the runs of `runs.experiment` give, over specimens and seeds; verdicts.py holds it against
the measured rows."""
import math
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from ..analysis import activation, nbed, order, registry, relaxation, tension
from ..analysis.quantity import jackknife
from ..io.result import open_result
from ..units import ROOM_K, TAYLOR_FACTORS, activation_volume
from . import evidence, runs as plan

TIMES = relaxation.MARKS
READING_GPA = 0.02  # noise of one reading of the stress that the tests assume
DETECTION_GPA = 2 * math.sqrt(2) * READING_GPA  # fall of the stress that two such readings tell from none
LEAST_GPA = 1e-4  # a smaller loss, or a gain, counts as this
FLOWING = (0.05, 0.10)  # strain at 2 h of the specimens of which yield strength, m and V are quoted


@dataclass
class Specimen:
    """One actuator of the array: arrays over its seeds and the times of observation."""

    stiffness_GPa: float
    stress: np.ndarray  # seeds x times, GPa
    strain: np.ndarray
    rate: np.ndarray  # plastic, 1/s
    analysed: list  # relaxation.Relaxation a seed
    localisation: np.ndarray  # at the end

    @property
    def loss(self):
        """From the first to the last observation, a seed each."""
        return self.stress[:, 0] - self.stress[:, -1]

    @property
    def flowing(self):
        return FLOWING[0] <= float(self.strain[:, 0].mean()) <= FLOWING[1]

    def reading_error(self):
        """Scatter of one specimen's stress about its own curve: over seeds, without what each seed has in common."""
        own = self.stress - self.stress.mean(axis=1, keepdims=True)
        n, m = own.shape
        return max(1e-4, float(np.sqrt(np.sum((own - own.mean(axis=0)) ** 2) / max(1, (n - 1) * (m - 1)))))


@dataclass
class Level:
    """One strain of the diffraction, over all seeds."""

    strain: float
    fractions: np.ndarray  # seeds x scans
    expected: np.ndarray  # seeds
    statistics: list  # nbed.LevelStatistics a seed
    events: np.ndarray  # effective events a volume, seeds

    @property
    def mean(self):
        return float(self.fractions.mean())

    @property
    def error(self):
        """From seed to seed."""
        means = self.fractions.mean(axis=1)
        return float(means.std(ddof=1) / math.sqrt(len(means))) if len(means) > 1 else math.nan


@dataclass
class Flow:
    """Flow at one temperature and rate."""

    temperature_K: float
    rate_per_s: float
    stress_GPa: list  # a seed each


@dataclass
class Experiment:
    specimens: list = field(default_factory=list)
    pulled: list = field(default_factory=list)  # tension.Tension a seed
    levels: list = field(default_factory=list)  # counted after 51 days on chip
    rate_levels: list = field(default_factory=list)  # in tension at a constant rate
    flow: list = field(default_factory=list)  # Flow
    estimates: list = field(default_factory=list)  # activation.Estimate
    mean_stress: float = math.nan  # of the specimens that flow, over ln t
    microscopic: float = math.nan  # chi gamma0 Omega S, cubic angstroms
    master: object = None
    bands: dict = field(default_factory=dict)  # (structure, softening) -> [tension.Tension]
    dilution: list = field(default_factory=list)  # order.Dilution a seed, at 12 %
    order_fit: object = None
    evidence: object = None
    runs: int = 0
    planned: int = 0
    made: tuple = ("", "")  # of the first and the last run, UTC
    commits: tuple = ()  # of the programs that made the runs


def analyse(runs, planned):
    """Everything that the runs (sweeps.Run) give, of as many as were planned."""

    def of(series):
        return [(run, open_result(run.path)) for run in runs if run.series == series]

    e = Experiment(runs=len(runs), planned=planned)
    e.made, e.commits = _provenance([run.path for run in runs])
    chips, pulls, counted = of("onchip"), of("tension"), of("counted")
    e.specimens = _specimens(chips)
    e.pulled = [tension.analyse(result) for _, result in pulls]
    e.levels = _counted(counted)
    e.rate_levels = _levels([result for _, result in pulls])
    e.flow = _flow(of("flow"))
    e.indentation = _flow(of("indentation"))
    e.bands = _bands(of("band"), e.pulled)
    e.microscopic = _microscopic(chips[0][1])
    e.estimates = _estimates(e, of("jump"), of("repeated"))
    e.mean_stress = _mean_stress(e)
    e.master = _master(e.flow)
    e.dilution = _dilution(counted)
    e.order_fit = _order_fit(e, pulls)
    reference = min(chips, key=lambda one: abs(one[0].values["stiffness_GPa"] - 72.0) + one[0].seed)
    e.evidence = evidence.evidence([registry.analyse(reference[1]), registry.analyse(pulls[0][1])])
    return e


def _provenance(paths):
    attrs = [open_result(path).attrs for path in paths]
    dates = sorted(str(one["created_utc"]) for one in attrs)
    return (dates[0], dates[-1]), tuple(sorted({str(one["git"]) for one in attrs}))


def _specimens(chips):
    groups = {}
    for run, result in chips:
        groups.setdefault(run.values["stiffness_GPa"], []).append(result)
    specimens = []
    for stiffness, results in groups.items():
        seen = [activation.observations(one, list(TIMES.values())) for one in results]
        analysed = [relaxation.analyse(one, start_s=TIMES["2 h"]) for one in results]
        rate = [[_rate(one, at) for at in TIMES.values()] for one in analysed]
        ends = [float(r.rows(a.segment)["localisation"].values[-1]) for r, a in zip(results, analysed)]
        stress, strain = (np.array(values) for values in zip(*seen))
        specimens.append(Specimen(stiffness, stress, strain, np.array(rate), analysed, np.array(ends)))
    return sorted(specimens, key=lambda one: float(one.strain[:, 0].mean()))


def _rate(analysed, at):
    keep = (analysed.time_s > 0) & (analysed.rate_per_s > 0)
    if not keep.any():
        return 0.0
    time, rate = np.log(analysed.time_s[keep]), np.log(analysed.rate_per_s[keep])
    return float(np.exp(np.interp(math.log(at), time, rate)))


def _levels(results):
    found = {}
    for result in results:
        levels = nbed.analyse(result)
        events = order.effective_events(result, [level.strain for level in levels])
        for level, n in zip(levels, events):
            seen = found.setdefault(round(level.strain, 3), [])  # an event may go a little past it
            seen.append((level, n))
    return [
        Level(
            strain,
            np.array([level.fractions for level, _ in seen]),
            np.array([level.expected for level, _ in seen]),
            [level for level, _ in seen],
            np.array([n for _, n in seen]),
        )
        for strain, seen in sorted(found.items())
    ]


def _counted(runs):
    """Levels of the specimens that relaxed on the chip; all of a seed are one glass as deposited, which counts once."""
    largest = max((run.sweep for run, _ in runs), key=lambda name: float(name.split("-")[-1]), default="")
    found = {}
    for sweep in sorted({run.sweep for run, _ in runs}):
        for level in _levels([result for run, result in runs if run.sweep == sweep]):
            if level.strain > 0 or sweep == largest:
                found[level.strain] = level
    return [found[strain] for strain in sorted(found)]


def _flow(runs):
    groups = {}
    for run, result in runs:
        key = run.values.get("temperature_K", ROOM_K), run.values["rate_per_s"]
        groups.setdefault(key, []).append(tension.analyse(result).flow_GPa)
    return [Flow(*key, stresses) for key, stresses in sorted(groups.items())]


def at_room(flow):
    """At the temperature of the measurements."""
    return [one for one in flow if one.temperature_K == ROOM_K]


def _bands(runs, film):
    bands = {("domains", 0.0): film}
    for run, result in runs:
        bands.setdefault((run.values["structure"], run.values["softening_eV"]), []).append(tension.analyse(result))
    return bands


def _microscopic(result):
    names = ("activation_fraction", "gamma0", "volume_nm3", "largest_schmid")
    return 1000 * math.prod(float(result.setting(name)) for name in names)


def _estimates(e, jump, repeated):
    """One estimate a method; the runs of specimens at 5–10 % strain for those along relaxations."""
    flowing = [one for one in e.specimens if one.flowing]
    groups = [[a for a in one.analysed] for one in flowing]
    found = [
        _along("log law, 2 h to 51 d", groups, lambda a: a.fit),
        _along("rate along the curve", groups, lambda a: a.rate_fit),
        _readings(flowing),
    ]
    for name, runs, method in (
        ("rate jumps", jump, activation.rate_jumps),
        ("repeated", repeated, activation.repeated),
    ):
        if len(runs) > 1:
            found.append(activation.pooled(name, [method(result) for _, result in runs]))
    steady = _points(e.flow)
    if len(steady) >= 3:
        found.append(activation.steady_flow(*zip(*steady)))
    return found


def _points(flow):
    return [(one.rate_per_s, s) for one in at_room(flow) for s in one.stress_GPa]


def at_indentation(e):
    """The slope of flow stress over ln(rate) about the rate of nanoindentation; None without three rates."""
    points = _points(e.indentation)
    return activation.steady_flow(*zip(*points)) if len({rate for rate, _ in points}) >= 3 else None


def _along(method, groups, fit_of):
    """Bootstrap over specimens and seeds of the mean s; refused fits are left out, and too many refuse the whole."""
    fits = [[fit_of(a) for a in group] for group in groups]
    kept = [[fit.parameters["s"] for fit in group if not fit.refused] for group in fits]
    total, good = sum(map(len, fits)), sum(map(len, kept))
    if good < max(2, total / 2):
        return activation.Estimate(method, math.nan, (math.nan,) * 2, ROOM_K, f"{good} of {total} fits stand")
    s, interval = activation.bootstrap(kept, np.mean)
    return activation.Estimate(method, s, interval, ROOM_K, detail={"n": good, "refused": total - good})


def _readings(flowing):
    """As it was measured: the log law through four readings of each specimen, seeds averaged; the mean of those that
    stand, with Student's interval over specimens."""
    fits = []
    for one in flowing:
        error = one.reading_error() / math.sqrt(len(one.stress))
        fits.append(activation.log_law(list(TIMES.values()), one.stress.mean(axis=0), max(error, 1e-3)))
    return activation.pooled("log law through four readings", fits)


def _mean_stress(e):
    values = [a.mean_stress_GPa for one in e.specimens if one.flowing for a in one.analysed]
    return float(np.mean(values)) if values else math.nan


def _master(flow):
    points = [(one.temperature_K, one.rate_per_s, s) for one in flow for s in one.stress_GPa]
    if len({t for t, _, _ in points}) < 2:
        return None
    spread = [np.std(one.stress_GPa, ddof=1) for one in flow if len(one.stress_GPa) > 1]
    error = float(np.sqrt(np.mean(np.square(spread)))) if spread else 0.0
    return activation.master_curve(*zip(*points), error or None)


def _dilution(counted):
    found = []
    for _, result in counted:
        levels = {round(level.strain, 3): level for level in result.levels}
        if 0.12 in levels:
            error = nbed.level_statistics(levels[0.12]).domain_error
            found.append(order.dilution(result, levels[0.12], error))
    return found


def _order_fit(e, pulls):
    """Of the simulated counts themselves, as a user would fit measured ones: one experiment of 8 scans, seed 1."""
    if not e.levels or not pulls:
        return None
    counts = [np.rint(100 * level.fractions[0]) for level in e.levels]
    return order.fit(counts, [float(level.events.mean()) for level in e.levels], order.optics(pulls[0][1]))


def strength(e):
    """Stress at 2 h of the specimens that flow: yield strength as it was measured, GPa."""
    return float(np.mean([one.stress[:, 0].mean() for one in e.specimens if one.flowing]))


def losses(e, seeds=slice(None)):
    """[(stress at 2 h, loss to 51 d)] of the specimens by their stress while it rises, up to the first that flows.
    `seeds`: which of each specimen's seeds to take."""
    ordered = [one for one in e.specimens if not one.flowing and float(one.strain[:, 0].mean()) < FLOWING[0]]
    ordered += [one for one in e.specimens if one.flowing][:1]
    return sorted((float(one.stress[seeds, 0].mean()), float(one.loss[seeds].mean())) for one in ordered)


def crossing(points):
    """Stress at which the loss reaches DETECTION_GPA: ln(loss), made monotone by pooling neighbours, is linear between
    specimens. None when the first loses more already, or none loses so much."""
    pools = []  # [sum of ln(loss), specimens]
    for _, loss in points:
        pools.append([math.log(max(loss, LEAST_GPA)), 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1] = [pools[-1][0] + total, pools[-1][1] + count]
    logs = [total / count for total, count in pools for _ in range(count)]
    limit = math.log(DETECTION_GPA)
    above = [i for i, one in enumerate(logs) if one > limit]
    if not above or above[0] == 0:
        return None
    (s0, _), (s1, _) = points[above[0] - 1 : above[0] + 1]
    l0, l1 = logs[above[0] - 1 : above[0] + 1]
    return s0 + (s1 - s0) * (limit - l0) / (l1 - l0)


@dataclass
class Threshold:
    """Static threshold: the stress at 2 h at which the loss to 51 d reaches DETECTION_GPA; None without a crossing."""

    stress_GPa: Optional[float]
    seed_error: float = math.nan  # from leaving out a seed each
    array_error: float = math.nan  # half of what either half of the springs moves it by
    points: list = field(default_factory=list)

    @property
    def error(self):
        """Of both causes, those that are known."""
        return math.hypot(*(one for one in (self.seed_error, self.array_error) if math.isfinite(one)))


def threshold(e):
    """The static threshold with its errors over seeds and over the array."""
    points = losses(e)
    found = Threshold(crossing(points), points=points)
    n = min((len(one.stress) for one in e.specimens), default=0)
    left_out = [crossing(losses(e, [k for k in range(n) if k != i])) for i in range(n)] if n > 1 else [None]
    if None not in left_out:
        found.seed_error = jackknife(left_out)
    halves = [crossing(points[i::2]) for i in (0, 1)]
    if found.stress_GPa is not None and None not in halves:
        found.array_error = 0.5 * max(abs(one - found.stress_GPa) for one in halves)
    return found


def volumes(e):
    """The estimators as records: method, V and interval for each convention, bias against the microscopic volume."""
    records = []
    for one in e.estimates:
        record = {"method": one.method, "refused": one.refused}
        if not one.refused:
            record["s_GPa"], record["s_interval_GPa"] = one.s, list(one.interval)
            record["m"] = one.s / e.mean_stress
            for label, factor in TAYLOR_FACTORS.items():
                record[f"V_M={label}"] = list(one.volume(factor))
            record["over_microscopic"] = activation_volume(1.0, one.temperature_K, one.s) / e.microscopic
        records.append(record)
    return records
