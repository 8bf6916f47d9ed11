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
from ..analysis.quantity import finite, minus
from ..errors import StzPostError
from ..io import writing
from ..io.result import open_result
from ..plots import style
from ..units import ROOM_K
from . import runs as plan
from .sweeps import Axis, Sweep

STRAINS = np.linspace(0.0025, 0.03, 12)  # plastic, at which the gain is taken
WINDOW = 0.01  # plastic strain over which a wave grows or decays: before slip localises by itself
SPACING_NM = 0.58
SIGNS = ("plus", "minus")
UNIFORM = "uniform"
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
    stem = re.sub("[^a-z0-9.]+", "-", f"{group}-{name}-{box}".lower())
    files = tuple(os.path.join(os.path.realpath(directory), "waves", f"{sign}-{box}.h5") for sign in SIGNS)
    axes = (Axis("barriers.softening_eV", softening), Axis("barriers.rise_file", files))
    common = (*COMMON, f"lattice.cells=[{', '.join(map(str, cells))}]", *settings, *structure)
    return Sweep(stem, file, common, axes, seeds, labels={"group": group, "name": name, "box": box})


def write_waves(study, directory):
    """The files of barriers that the sweeps of a study name."""
    folder = os.path.join(directory, "waves")
    os.makedirs(folder, exist_ok=True)
    for box in sorted({sweep.labels["box"] for sweep in study}):
        field = waves_of(box).field_eV().astype("f4")
        for sign, factor in zip(SIGNS, (1, -1)):
            with writing.replacing(os.path.join(folder, f"{sign}-{box}.h5")) as path, h5py.File(path, "w") as made:
                made["rise_eV"] = factor * field


def waves_of(box):
    """Of a box by its name."""
    return waves.Waves(tuple(map(int, box.split("x"))))


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

    def gain(self, strain=WINDOW):
        """Mean over the seeds by order, and its standard error with the scatter of all orders pooled."""
        at = self.gains[:, int(np.argmin(np.abs(STRAINS - strain)))]
        whole = at[np.isfinite(at).all(axis=1)]
        if len(whole) < 2:
            return np.full(at.shape[1], np.nan), np.full(at.shape[1], np.nan)
        return whole.mean(axis=0), whole.std(axis=0, ddof=1) / math.sqrt(len(whole))


def analyse(runs):
    """The cases of finished runs; a pair of which one run is missing is left out."""
    answers, beside = {}, {}
    for run in runs:
        labels = run.values
        key = (labels["group"], labels["name"], labels["box"], labels["softening_eV"])
        sign = os.path.basename(labels["rise_file"]).split("-")[0]
        result = open_result(run.path)
        answers.setdefault(key, {})[run.seed, sign] = waves_of(labels["box"]).answer(result.table("/events"), STRAINS)
        stress = result.history["stress_axial_GPa"].values
        beside.setdefault(key, []).append((result.history["localisation"].values[-1], stress.max() / stress[-1]))
    return [_case(key, found, beside[key]) for key, found in answers.items()]


def _case(key, found, beside):
    seeds = sorted({seed for seed, _ in found if all((seed, sign) in found for sign in SIGNS)})
    pairs = [waves.gain(found[seed, "plus"], found[seed, "minus"], STRAINS, ROOM_K) for seed in seeds]
    box = waves_of(key[2])
    empty = np.empty((0, len(STRAINS), len(box.orders)))
    lengths = box.lengths_nm(SPACING_NM)
    return Case(*key, np.array(pairs) if pairs else empty, lengths, *np.nanmean(beside, axis=0))


@dataclass
class Line:
    """Growth of one structure against softening, of the wave of one order."""

    group: str
    name: str
    box: str
    length_nm: float
    softening_eV: np.ndarray
    gain: np.ndarray
    gain_error: np.ndarray
    growth: np.ndarray
    error: np.ndarray
    critical_eV: float
    drawn: np.ndarray  # of critical_eV

    def interval(self, level=0.95):
        return tuple(np.quantile(self.drawn, [0.5 - level / 2, 0.5 + level / 2], method="nearest"))


def lines(cases, order=0, strain=WINDOW):
    """By group, structure and box. The errors of the gains at one softening are pooled over the structures of a box
    and over the orders, since a few seeds alone tell them badly."""
    pooled, found = {}, {}
    for case in cases:
        found.setdefault((case.group, case.name, case.box), []).append(case)
        pooled.setdefault((case.group, case.box, case.softening_eV), []).append(np.square(case.gain(strain)[1][order]))
    made = []
    for key, own in found.items():
        own = sorted(own, key=lambda case: case.softening_eV)
        gain = np.array([case.gain(strain)[0][order] for case in own])
        error = np.array([math.sqrt(np.nanmean(pooled[case.group, case.box, case.softening_eV])) for case in own])
        whole = np.isfinite(gain) & np.isfinite(error)
        own = [case for case, one in zip(own, whole) if one]
        if not own:
            continue
        made.append(_line(key, own, gain[whole], error[whole], order, strain))
    return made


def _line(key, own, gain, error, order, strain):
    softening = np.array([case.softening_eV for case in own])
    rate, rate_error = waves.growth(np.maximum(gain, 0.02), strain), waves.growth_error(gain, error, strain)
    critical, drawn = math.nan, np.array([math.nan])
    if len(own) > 2:
        critical, drawn = waves.crossings(softening, rate, rate_error)
    return Line(*key, own[0].lengths_nm[order], softening, gain, error, rate, rate_error, critical, drawn)


def comparisons(found):
    """Critical softening of each structure less that of the uniform glass: the difference, an interval that holds for
    all of them together with 95 %, the verdict, and the least difference that would be seen with 80 %."""
    mine = {line.name: line for line in found if line.group == "structure" and len(line.drawn) > 1}
    if UNIFORM not in mine or len(mine) < 2:
        return []
    reference = mine.pop(UNIFORM)
    level = 1 - SURE / len(mine)
    results = []
    for name, line in mine.items():
        with np.errstate(invalid="ignore"):
            drawn = line.drawn - reference.drawn
        drawn = np.where(np.isnan(drawn), 0.0, drawn)
        low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], method="nearest")
        verdict = "needs more softening" if low > 0 else "needs less softening" if high < 0 else "no difference shown"
        sigma = (np.quantile(drawn, 0.84, method="nearest") - np.quantile(drawn, 0.16, method="nearest")) / 2
        seen = (norm.ppf(0.5 + level / 2) + norm.ppf(0.8)) * sigma
        difference = line.critical_eV - reference.critical_eV
        results.append({"name": name, "difference_eV": difference, "interval_eV": [low, high], "verdict": verdict,
                        "seen_from_eV": seen})
    return results


def finding(found):
    """What the numbers say, a sentence each."""
    mine = [line for line in found if line.group == "structure"]
    uniform = next((line for line in mine if line.name == UNIFORM), None)
    if uniform is None:
        return "No uniform glass: no finding."
    said = []
    for line in mine:
        i = int(np.argmin(line.softening_eV))
        low, high = line.growth[i] - 1.96 * line.error[i], line.growth[i] + 1.96 * line.error[i]
        if line.softening_eV[i] == 0 and line.name in (UNIFORM, DOMAINS):
            how = "decays" if high < 0 else "grows" if low > 0 else "neither grows nor decays for sure"
            said.append(f"Without softening the wave of {line.length_nm:.3g} nm in {line.name} {how}: "
                        f"G = {line.growth[i]:.0f}, {low:.0f} to {high:.0f} per plastic strain.")
    results = comparisons(found)
    for verdict in ("needs more softening", "needs less softening", "no difference shown"):
        names = [one["name"] for one in results if one["verdict"] == verdict]
        if names:
            said.append(f"Against the uniform glass, {verdict}: {'; '.join(names)}.")
    return "\n".join(said)


def table(found):
    """Critical softening of each line, with G at each softening."""
    rows = [f"{'group':<12}  {'structure':<26}  {'box':<11}  wave/nm  h_c/eV  {'95 %':<15}  G (per plastic strain) at softening"]
    for line in found:
        low, high = line.interval()
        critical = f"{line.critical_eV:6.3f}  {low:.3f} to {high:.3f}" if len(line.drawn) > 1 else f"{'':6}  {'':14}"
        rates = ", ".join(f"{s:g}: {g:.0f} ± {e:.0f}" for s, g, e in zip(line.softening_eV, line.growth, line.error))
        rows.append(f"{line.group:<12}  {line.name:<26}  {line.box:<11}  {line.length_nm:7.1f}  {critical}   {rates}")
    return minus("\n".join(rows))


def write(cases, directory):
    """bands.json, bands.txt and bands.png; returns the text."""
    if not any(len(case.gains) > 1 for case in cases):
        raise StzPostError(f"{directory}: no structure has two pairs of runs: nothing to say")
    found = lines(cases)
    text = table(found) + "\n\n"
    for one in comparisons(found):
        low, high = one["interval_eV"]
        text += minus(f"{one['name']}: h_c differs by {one['difference_eV']:.3f} eV ({low:.3f} to {high:.3f}), "
                      f"{one['verdict']}; seen with 80 % from {one['seen_from_eV']:.3f} eV\n")
    text += "\n" + finding(found) + "\n"
    record = [{**{k: v for k, v in vars(line).items() if k != "drawn"}, "interval_95_eV": line.interval()}
              for order in range(len(cases[0].lengths_nm)) for line in lines(cases, order)]
    beside = [{"group": c.group, "name": c.name, "box": c.box, "softening_eV": c.softening_eV,
               "localisation": c.localisation, "overshoot": c.overshoot, "pairs": len(c.gains)} for c in cases]
    kept = {"lines": record, "cases": beside, "comparisons": comparisons(found), "finding": finding(found)}
    with writing.text(os.path.join(directory, "bands.json")) as file:
        json.dump(finite(kept), file, indent=1, default=lambda value: finite(value.tolist()))
    with writing.text(os.path.join(directory, "bands.txt")) as file:
        file.write(text)
    style.save(figure(cases), os.path.join(directory, "bands.png"))
    return text


@style.styled
def figure(cases):
    """Growth against softening for each structure; growth against wavelength; critical softening."""
    found = [line for line in lines(cases) if line.group == "structure"]
    drawn, (left, middle, right) = style.new(style.PAGE, 75 * style.MM, ncols=3)
    for i, line in enumerate(found):
        color = style.BLACK if line.name == UNIFORM else style.VERMILLION if line.name == DOMAINS else style.shade(i, len(found))
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
