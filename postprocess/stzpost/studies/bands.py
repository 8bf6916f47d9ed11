# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no shear band? Growth of waves of plastic strain at 45 degrees to the tension, against softening, for the film's
domains and their controls; what is varied one at a time besides: the box, the rate, the machine. docs/bands.md says
what is measured, and the rule by which it is judged."""
from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass

import h5py
import numpy as np
from scipy.stats import norm

from ..analysis import waves
from ..analysis.quantity import NORMAL_95, finite, minus
from ..errors import StzPostError
from ..io import writing
from ..io.result import open_result
from ..plots import style
from ..units import ROOM_K
from .sweeps import Axis, Sweep

STRAINS = np.linspace(0.0025, 0.03, 12)  # plastic, at which the gain is taken
WINDOW = 0.01  # plastic strain over which a wave grows or decays: before slip localises by itself
LENGTH = 0.005  # of each of the stretches of plastic strain between which a wave grows or decays
STRETCHES = ((0.0025, 0.0025 + LENGTH), (0.01, 0.01 + LENGTH))
LEAST = 0.02  # smaller gains have no rate of growth
SPACING_NM = 0.58
SIGNS = ("plus", "minus")
AMPLITUDE_EV = waves.Waves.amplitude_eV
UNIFORM = "uniform"
WITHOUT = ("frozen", "random phases", "equal histogram")  # the barriers of the domains, not their arrangement
HALF = "half the amplitude"
DOMAINS = "domains"
STRUCTURES = {  # of the film, its controls, and what varies one thing of it
    UNIFORM: ('microstructure.type="uniform"',),
    DOMAINS: (),
    "domains, wavelength 5 nm": ("microstructure.wavelength_nm=5.0",),
    "domains, wavelength 10 nm": ("microstructure.wavelength_nm=10.0",),
    "frozen": ('microstructure.control="frozen"',),
    "random phases": ('microstructure.control="random-phases"',),
    "equal histogram": ('microstructure.control="equal-histogram"',),
    "uniform, total width": ('microstructure.type="uniform"', "barriers.width_eV=0.21"),
    "interfaces 0 eV": ("barriers.interface_eV=0.0",),
    "interfaces 0.3 eV": ("barriers.interface_eV=0.3",),
}
COMMON = (
    'kmc.engine="multilevel"',
    "output.nbed_strains=[]",
    "output.events=true",
    "output.history_strain_step=0.001",
    "output.history_points_per_decade=2",
)
STRAIN = 0.07  # to which specimens are pulled: 2 to 3 % of it plastic
SPECIMEN_NM = 25e3  # length of the film's specimens
YOUNG_GPA = 72.0
CREEP_GPA = 3.3
SURE = 0.05  # that any of the comparisons with the uniform glass errs


@dataclass(frozen=True)
class Size:
    """How much of the study is done."""

    cells: tuple
    seeds: int
    softening_eV: tuple
    structures: tuple
    boxes: tuple = ()  # besides `cells`, of the uniform glass
    controlled_eV: tuple = ()  # softening of the runs with other rates and machines


ALL = tuple(STRUCTURES)
SIZES = {
    "quick": Size((64, 64, 32), 2, (0.0, 0.2), (UNIFORM, DOMAINS)),
    "middle": Size((64, 64, 32), 4, (0.0, 0.05, 0.1, 0.15, 0.2, 0.3), ALL, ((96, 96, 32), (64, 64, 64)), (0.1, 0.2)),
    "full": Size(
        (256, 256, 32), 12, (0.0, 0.05, 0.1, 0.15, 0.2, 0.3), ALL, ((64, 64, 32), (128, 128, 128), (512, 512, 32)),
        (0.1, 0.2),
    ),
}


def sweeps(size="full", directory="bands", first_seed=1):
    """The sweeps of the study, the runs of a pair side by side; write_waves makes the files that they name."""
    one = SIZES[size]
    seeds = tuple(range(first_seed, first_seed + one.seeds))
    sets = [("structure", name, "tension.cfg", _pulled(), STRUCTURES[name], one.cells, one.softening_eV)
            for name in one.structures]
    for cells in one.boxes:
        sets.append(("box", UNIFORM, "tension.cfg", _pulled(), STRUCTURES[UNIFORM], cells, one.softening_eV[::2]))
    for control, (file, settings) in _controls(one.cells).items() if one.controlled_eV else ():
        for name in (UNIFORM, DOMAINS):
            sets.append((control, name, file, settings, STRUCTURES[name], one.cells, one.controlled_eV))
    if one.controlled_eV:
        structure = STRUCTURES[UNIFORM]
        sets.append((HALF, UNIFORM, "tension.cfg", _pulled(), structure, one.cells, one.controlled_eV))
    return [_sweep(directory, seeds, *each) for each in sets]


def _pulled(rate="1e-06"):
    return (f"protocol[0].until_strain={STRAIN:g}", f"protocol[0].rate_per_s={rate}")


def _controls(cells):
    """{name: (input, settings)}: rates, creep, and an actuator as soft as the whole specimen is for a box."""
    stiffness = YOUNG_GPA * cells[0] * SPACING_NM / SPECIMEN_NM
    creep = (f"protocol[0].stress_GPa={CREEP_GPA:g}", f"protocol[0].until_strain={STRAIN:g}",
             "protocol[0].duration_s=1e9")
    soft = (f"protocol[0].stiffness_GPa={stiffness:.4g}", f"protocol[0].mismatch_strain={CREEP_GPA / stiffness:.4g}",
            f"protocol[0].until_strain={STRAIN:g}", "protocol[0].duration_s=1e9")
    return {
        "rate 1e-8": ("tension.cfg", _pulled("1e-08")),
        "rate 1e-4": ("tension.cfg", _pulled("1e-04")),
        "creep": ("creep.cfg", creep),
        "soft machine": ("onchip.cfg", soft),
    }


def _sweep(directory, seeds, group, name, file, settings, structure, cells, softening):
    box = "x".join(map(str, cells))
    amplitude = AMPLITUDE_EV / 2 if group == HALF else AMPLITUDE_EV
    stem = re.sub("[^a-z0-9.]+", "-", f"{group}-{name}-{box}".lower())
    files = tuple(os.path.realpath(_wave_file(directory, sign, box, amplitude)) for sign in SIGNS)
    axes = (Axis("barriers.softening_eV", softening), Axis("barriers.rise_file", files))
    common = (*COMMON, f"lattice.cells=[{', '.join(map(str, cells))}]", *settings, *structure)
    labels = {"group": group, "name": name, "box": box, "amplitude": amplitude}
    return Sweep(stem, file, common, axes, seeds, labels=labels)


def _wave_file(directory, sign, box, amplitude):
    return os.path.join(directory, "waves", f"{sign}-{box}-{1e3 * amplitude:g}meV.h5")


def write_waves(study, directory):
    """The files of barriers that the sweeps of a study name."""
    os.makedirs(os.path.join(directory, "waves"), exist_ok=True)
    for box, amplitude in sorted({(sweep.labels["box"], sweep.labels["amplitude"]) for sweep in study}):
        field = waves_of(box, amplitude).field_eV().astype("f4")
        for sign, factor in zip(SIGNS, (1, -1)):
            with writing.replacing(_wave_file(directory, sign, box, amplitude)) as path, h5py.File(path, "w") as made:
                made["rise_eV"] = factor * field


def waves_of(box, amplitude=AMPLITUDE_EV):
    """Of a box by its name."""
    return waves.Waves(tuple(map(int, box.split("x"))), amplitude_eV=amplitude)


@dataclass
class Case:
    """Pairs of one group, structure, box and softening."""

    group: str
    name: str
    box: str
    softening_eV: float
    gains: np.ndarray  # [seed, strain, order]
    lengths_nm: np.ndarray
    localisation: float  # at the end, mean over the runs
    overshoot: float  # upper yield over the stress at the end

    def net(self, order):
        """[seed, 1]: the gain at the end of the window; of whole pairs."""
        return _whole(self.gains[:, _at(WINDOW), order][:, None])

    def running(self, order):
        """[seed, 2]: what the wave gains per plastic strain in two later stretches of strain."""
        course = self.gains[:, :, order] * STRAINS
        grown = [course[:, _at(end)] - course[:, _at(begin)] for begin, end in STRETCHES]
        return _whole(np.stack(grown, axis=1) / LENGTH)


def _at(strain):
    return int(np.argmin(np.abs(STRAINS - strain)))


def _whole(values):
    return values[np.isfinite(values).all(axis=1)]


def net_growth(mean):
    """G that leads to the mean gain at the end of the window."""
    return float(waves.growth(max(mean[0], LEAST), WINDOW))


def running_growth(mean):
    """G from one stretch to the other."""
    between = STRETCHES[1][0] - STRETCHES[0][0]
    return math.log(max(mean[1], LEAST) / max(mean[0], LEAST)) / between


MEASURES = {"net": (Case.net, net_growth), "running": (Case.running, running_growth)}


def analyse(runs):
    """The cases of finished runs; a pair of which one run is missing is left out."""
    answers, beside = {}, {}
    for run in runs:
        labels = run.values
        key = (labels["group"], labels["name"], labels["box"], labels["softening_eV"])
        sign = os.path.basename(labels["rise_file"]).split("-")[0]
        result = open_result(run.path)
        seeded = waves_of(labels["box"], labels["amplitude"])
        answers.setdefault(key, {})[run.seed, sign] = seeded.answer(result.table("/events"), STRAINS)
        stress = result.history["stress_axial_GPa"].values
        overshoot = stress.max() / stress[-1] if stress[-1] > 0 else math.nan  # creep ends without stress
        beside.setdefault(key, []).append((result.history["localisation"].values[-1], overshoot))
    return [_case(key, found, beside[key]) for key, found in answers.items()]


def _case(key, found, beside):
    seeds = sorted({seed for seed, _ in found if all((seed, sign) in found for sign in SIGNS)})
    pairs = [waves.gain(found[seed, "plus"], found[seed, "minus"], STRAINS, ROOM_K) for seed in seeds]
    box = waves_of(key[2])
    empty = np.empty((0, len(STRAINS), len(box.orders)))
    lengths = box.lengths_nm(SPACING_NM)
    return Case(*key, np.array(pairs) if pairs else empty, lengths, *np.mean(beside, axis=0))


@dataclass
class Line:
    """Growth of one structure against softening, of the wave of one order."""

    group: str
    name: str
    box: str
    measure: str
    length_nm: float
    softening_eV: np.ndarray
    growth: np.ndarray
    error: np.ndarray
    critical_eV: float
    drawn: np.ndarray  # of critical_eV

    def interval(self, level=0.95):
        return tuple(np.quantile(self.drawn, [0.5 - level / 2, 0.5 + level / 2], method="nearest"))


def lines(cases, order=0, measure="net"):
    """By group, structure and box. The scatter of the seeds at one softening is pooled over the structures of a box,
    since a few seeds alone tell it badly."""
    values_of, growth = MEASURES[measure]
    pooled, found = {}, {}
    for case in cases:
        values = values_of(case, order)
        if len(values) > 1:
            found.setdefault((case.group, case.name, case.box), []).append((case, values))
            pooled.setdefault(_pool(case), []).append(np.atleast_2d(np.cov(values.T)))
    made = []
    for key, own in found.items():
        own.sort(key=lambda one: one[0].softening_eV)
        rates = np.array([growth(values.mean(axis=0)) for _, values in own])
        errors = np.array([_error(growth, values, np.mean(pooled[_pool(case)], axis=0)) for case, values in own])
        softening = np.array([case.softening_eV for case, _ in own])
        critical, drawn = math.nan, np.array([math.nan])
        if len(own) > 2:
            critical, drawn = waves.crossings(softening, rates, errors, seed=len(made))
        made.append(Line(*key, measure, own[0][0].lengths_nm[order], softening, rates, errors, critical, drawn))
    return made


def _pool(case):
    return case.group, case.box, case.softening_eV


def _error(growth, values, covariance):
    """Standard error of a growth rate from the covariance of what one seed gives."""
    mean, slopes = values.mean(axis=0), []
    for i, deviation in enumerate(np.sqrt(np.diag(covariance) / len(values))):
        step = np.zeros(len(mean))
        step[i] = deviation
        slopes.append((growth(mean + step) - growth(mean - step)) / (2 * deviation))
    return math.sqrt(np.array(slopes) @ covariance @ np.array(slopes) / len(values))


VERDICTS = ("needs more softening", "needs less softening", "no difference shown")


def comparisons(found, reference=UNIFORM, others=ALL):
    """Critical softening of the structures less that of the reference: the difference, an interval that holds for all
    of them together with 95 %, the verdict, and the least difference that would be seen with 80 %."""
    mine = {line.name: line for line in found if line.group == "structure" and len(line.drawn) > 1}
    mine = {name: line for name, line in mine.items() if name in (reference, *others)}
    if reference not in mine or len(mine) < 2:
        return []
    reference = mine.pop(reference)
    level = 1 - SURE / len(mine)
    results = []
    for name, line in mine.items():
        with np.errstate(invalid="ignore"):
            drawn = line.drawn - reference.drawn
        drawn = np.where(np.isnan(drawn), 0.0, drawn)
        low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], method="nearest")
        verdict = VERDICTS[0] if low > 0 else VERDICTS[1] if high < 0 else VERDICTS[2]
        ends = np.quantile(drawn, [0.16, 0.84], method="nearest")
        sigma = (ends[1] - ends[0]) / 2 if np.isfinite(ends).all() else math.inf
        seen = (norm.ppf(0.5 + level / 2) + norm.ppf(0.8)) * sigma
        difference = line.critical_eV - reference.critical_eV
        results.append({"name": name, "difference_eV": difference, "interval_eV": [low, high], "verdict": verdict,
                        "seen_from_eV": seen})
    return results


def finding(cases):
    """What the numbers say, a sentence each."""
    found = {measure: lines(cases, measure=measure) for measure in MEASURES}
    mine = [line for line in found["net"] if line.group == "structure"]
    if not any(line.name == UNIFORM for line in mine):
        return "No uniform glass: no finding."
    said = [_without_softening(line) for line in mine if line.softening_eV[0] == 0 and line.name in (UNIFORM, DOMAINS)]
    for reference, others in ((UNIFORM, ALL), (DOMAINS, WITHOUT)):
        verdicts = {}
        for measure in MEASURES:
            for one in comparisons(found[measure], reference, others):
                verdicts.setdefault(one["name"], []).append(one["verdict"])
        said += _judged(reference, verdicts)
    return minus("\n".join(said))


def _judged(reference, verdicts):
    """Sentences from {structure: verdicts of the measures}."""
    for verdict in VERDICTS[:2]:
        names = [name for name, own in verdicts.items() if own == [verdict] * len(MEASURES)]
        if names:
            yield f"Against the glass `{reference}`, by both measures, {verdict}: {'; '.join(names)}."
    names = [name for name, own in verdicts.items() if len(set(own)) > 1 or own[0] == VERDICTS[2]]
    if names:
        yield f"Not told apart from the glass `{reference}` by both measures: {'; '.join(names)}."


def _without_softening(line):
    low, high = line.growth[0] - NORMAL_95 * line.error[0], line.growth[0] + NORMAL_95 * line.error[0]
    how = "decays" if high < 0 else "grows" if low > 0 else "is not shown to grow or decay"
    wave = f"the wave of {line.length_nm:.3g} nm in {line.name}"
    return f"Without softening {wave} {how}: net G = {line.growth[0]:.0f}, {low:.0f} to {high:.0f} per plastic strain."


def table(found):
    """Critical softening of each line, with G at each softening."""
    rows = [f"{'group':<18}  {'structure':<25}  {'box':<9}  {'growth':<7}  wave/nm  h_c/eV  {'95 %':<15}  "
            "G (per plastic strain) at softening"]
    for line in found:
        low, high = line.interval()
        critical = f"{line.critical_eV:6.3f}  {low:.3f} to {high:.3f}" if len(line.drawn) > 1 else f"{'':6}  {'':14}"
        rates = ", ".join(f"{s:g}: {g:.0f} ± {e:.0f}" for s, g, e in zip(line.softening_eV, line.growth, line.error))
        rows.append(f"{line.group:<18}  {line.name:<25}  {line.box:<9}  {line.measure:<7}  {line.length_nm:7.1f}  "
                    f"{critical}   {rates}")
    return minus("\n".join(rows))


def write(cases, directory):
    """bands.json, bands.txt and bands.png; returns the text."""
    if not any(len(case.gains) > 1 for case in cases):
        raise StzPostError(f"{directory}: no structure has two pairs of runs: nothing to say")
    text, compared = "", {}
    for measure in MEASURES:
        found = lines(cases, measure=measure)
        text += table(found) + "\n\n"
        compared[measure] = {UNIFORM: comparisons(found), DOMAINS: comparisons(found, DOMAINS, WITHOUT)}
        for reference, own in compared[measure].items():
            text += "".join(_compared_text(measure, reference, one) for one in own) + "\n"
    text += finding(cases) + "\n"
    record = [_record(line) for measure in MEASURES for order in range(len(cases[0].lengths_nm))
              for line in lines(cases, order, measure)]
    beside = [{"group": c.group, "name": c.name, "box": c.box, "softening_eV": c.softening_eV, "pairs": len(c.gains),
               "localisation": c.localisation, "overshoot": c.overshoot} for c in cases]
    kept = {"lines": record, "cases": beside, "comparisons": compared, "finding": finding(cases)}
    with writing.text(os.path.join(directory, "bands.json")) as file:
        json.dump(finite(kept), file, indent=1)
    with writing.text(os.path.join(directory, "bands.txt")) as file:
        file.write(text)
    style.save(figure(cases), os.path.join(directory, "bands.png"))
    return text


def _compared_text(measure, reference, one):
    low, high = one["interval_eV"]
    return minus(f"{measure}, {one['name']} against {reference}: h_c differs by {one['difference_eV']:.3f} eV "
                 f"({low:.3f} to {high:.3f}): {one['verdict']}; 80 % power from {one['seen_from_eV']:.3f} eV\n")


def _record(line):
    plain = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in vars(line).items()}
    del plain["drawn"]
    return plain | {"interval_95_eV": line.interval()}


@style.styled
def figure(cases):
    """Growth against softening for each structure; growth against wavelength; critical softening."""
    found = [line for line in lines(cases) if line.group == "structure"]
    drawn, (left, middle, right) = style.new(style.PAGE, 75 * style.MM, ncols=3)
    for i, line in enumerate(found):
        color = {UNIFORM: style.BLACK, DOMAINS: style.VERMILLION}.get(line.name, style.shade(i, len(found)))
        left.errorbar(line.softening_eV, line.growth, line.error, fmt="o-", ms=2.5, lw=0.8, color=color)
        low, high = line.interval()
        ends = np.clip([low, line.critical_eV, high], 0.0, line.softening_eV.max())
        right.plot([ends[0], ends[2]], [i, i], "-", color=color)
        right.plot(ends[1], i, "o", ms=3, color=color)
    for axes in (left, middle):
        axes.axhline(0, lw=0.6, color=style.GREY)
    left.set(xlabel="softening (eV)", ylabel="growth G per plastic strain")
    _by_length(cases, middle)
    right.set_yticks(range(len(found)), [line.name for line in found])
    right.set(xlabel="critical softening (eV)", ylim=(len(found) - 0.5, -0.5))
    return drawn


def _by_length(cases, axes):
    """Of the uniform glass, all orders, a line a softening."""
    for softening in sorted({case.softening_eV for case in cases}):
        points = [(line.length_nm, rate, error) for order in range(len(cases[0].lengths_nm))
                  for line in lines(cases, order) if line.group == "structure" and line.name == UNIFORM
                  for s, rate, error in zip(line.softening_eV, line.growth, line.error) if s == softening]
        if points:
            length, rate, error = np.array(sorted(points)).T
            shade = style.shade(10 * softening, 4)
            axes.errorbar(length, rate, error, fmt="s-", ms=2.5, lw=0.8, color=shade, label=f"{softening:g} eV")
    axes.set(xlabel="wavelength (nm)", ylabel="G, uniform glass")
    axes.legend(fontsize=6, title="softening", title_fontsize=6)
