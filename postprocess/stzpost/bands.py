# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no shear band? Localisation of a glass that softens, with the film's domains and without, one thing varied at a
time: softening, structure and its controls, wavelength, contrast, interfaces, size of the box; several seeds each.

`uniform` has the noise alone, and so a narrower distribution of barriers; `shuffled` and `equal-histogram` have the
barriers of the domains without their arrangement: what they suppress as well, the arrangement is not needed for.
"""
import json
import math
import os
from dataclasses import dataclass

import numpy as np

from . import avalanches, correlation, plan, style, tension
from .errors import StzPostError
from .experiment import smaller
from .quantity import finite, format_value, mean_error
from .result import open_result
from .style import BLACK, BLUE, GREEN, GREY, MM, PAGE, VERMILLION
from .targets import HOMOGENEOUS

SEEDS = 4
LARGE_SEEDS = 2
SOFTENING_EV = (0.0, 0.15, 0.3)
RING_NM = (2.0, 5.0)  # distances over which the quadrupole is averaged: beyond an STZ, within half the box
MEASURES = {
    "localisation": "localisation",
    "participation": "participation ratio",
    "quadrupole": "autocorrelation at 45° less along the axis",
    "avalanche": "mean size of avalanches (events)",
    "flow_GPa": "flow stress (GPa)",
    "overshoot": "upper yield over flow",
}


@dataclass(frozen=True)
class Case:
    """One set of runs: a label and what it sets."""

    group: str
    label: str
    settings: tuple
    seeds: int = SEEDS

    @property
    def key(self):
        return f"{self.group}: {self.label}"


def cases(quick=False):
    """The study: structures by softening, then single variations of the domains at the strongest softening, then a
    larger box."""
    found = [
        Case("structure", f"{structure}, {softening:g} eV", (*sets, f"barriers.softening_eV={softening}"))
        for softening in ((SOFTENING_EV[-1],) if quick else SOFTENING_EV)
        for structure, sets in plan.STRUCTURES.items()
    ]
    strong = f"barriers.softening_eV={SOFTENING_EV[-1]}"
    variations = {
        "wavelength 5 nm (domain width 2.5 nm)": ("microstructure.wavelength_nm=5.0",),
        "contrast 0.1 eV": ("barriers.composition_eV=0.1",),
        "contrast 0.4 eV": ("barriers.composition_eV=0.4",),
        "interfaces 0 eV": ("barriers.interface_eV=0.0",),
        "interfaces 0.3 eV": ("barriers.interface_eV=0.3",),
        "uniform of the same total width": ('microstructure.type="uniform"', "barriers.width_eV=0.21"),
    }
    if not quick:
        found += [Case("variation", name, (*sets, strong)) for name, sets in variations.items()]
        large = "lattice.cells=[48, 48, 48]"
        found += [
            Case("box of 27.8 nm", name, (*plan.STRUCTURES[name], strong, large), LARGE_SEEDS)
            for name in ("domains", "shuffled", "uniform")
        ]
    return found


def runs(quick=False):
    """The runs of the study."""
    common = ("output.nbed_strains=[]", "output.statistics_strains=[0.05, 0.12]", "output.avalanches=true")
    made = []
    for number, case in enumerate(cases(quick)):
        for seed in range(1, (2 if quick else case.seeds) + 1):
            made.append(
                plan.Run(
                    f"bands-{number:02d}",
                    case.group.split()[0],
                    "tension.cfg",
                    seed,
                    (*case.settings, *common),
                    {"case": case.key},
                )
            )
    return made


def analyse(runs, paths):
    """{case: {measure: values over seeds}}, of the runs that are there."""
    found = {}
    for run in runs:
        if run.name in paths:
            measures = _measures(open_result(paths[run.name]))
            seen = found.setdefault(run.values["case"], {name: [] for name in MEASURES})
            for name, value in measures.items():
                seen[name].append(value)
    if not found:
        raise StzPostError("no run of the study is there")
    return found


def comparisons(found):
    """p of the domains not localising less than each control, by softening and box: Welch's test, one-sided."""
    results = []
    for key in found:
        group, _, label = key.partition(": ")
        name, comma, rest = label.partition(", ")
        if name == "domains":
            for control in ("uniform", "shuffled", "equal-histogram"):
                other = f"{group}: {control}{comma}{rest}"
                if other in found:
                    a, b = found[key]["localisation"], found[other]["localisation"]
                    p = smaller(a, b) if min(len(a), len(b)) > 1 else math.nan
                    results.append(
                        {"domains": key, "control": other, "p": p, "means": [float(np.mean(a)), float(np.mean(b))]}
                    )
    return results


def finding(found):
    """What the study says, in words that follow from its numbers: a sentence a softening."""
    sentences = [_at(found, softening) for softening in SOFTENING_EV if softening > 0]
    sentences = [one for one in sentences if one]
    if not sentences:
        return "The controls are not complete: no finding."
    plain = [key for key in found if key.endswith(f", {SOFTENING_EV[0]:g} eV")]
    if plain:
        largest = max(max(found[key]["localisation"]) for key in plain)
        sentences.insert(0, f"Without softening nothing localises, whatever the structure: at most {largest:.2f}.")
    return "\n".join(sentences)


def _at(found, softening):
    """The sentence of one softening; None while a control is missing."""
    label = f"{softening:g} eV"
    by = {
        one["control"].split(": ")[1].split(",")[0]: one
        for one in comparisons(found)
        if one["domains"] == f"structure: domains, {label}" and math.isfinite(one["p"])
    }
    if not {"uniform", "shuffled", "equal-histogram"} <= set(by):
        return None
    uniform, rest = by["uniform"], [by["shuffled"], by["equal-histogram"]]
    overshoot = np.mean(found[f"structure: domains, {label}"]["overshoot"])
    text = (
        f"Softening {label}, upper yield {overshoot:.2f} of flow: localisation {uniform['means'][0]:.2f} with domains, "
    )
    text += f"{uniform['means'][1]:.2f} uniform (p = {uniform['p']:.2g}), " + ", ".join(
        f"{one['means'][1]:.2f} {name} (p = {one['p']:.2g})" for one, name in zip(rest, ("shuffled", "equal histogram"))
    )
    if not (uniform["p"] < 0.05 and uniform["means"][1] > HOMOGENEOUS):
        return text + ": no clear suppression by domains."
    if all(one["p"] < 0.05 and one["means"][1] > HOMOGENEOUS for one in rest):
        return text + ": domains suppress localisation, and their arrangement matters."
    if all(one["means"][1] < HOMOGENEOUS for one in rest):
        return text + (
            ": localisation is suppressed, but their arrangement is not needed for it. The same barriers without domains "
            "stay homogeneous too: frozen disorder suffices, which is unflattering to the hypothesis that the domains and "
            "their interfaces do it."
        )
    return text + ": localisation is suppressed by domains; the controls with their barriers lie between."


def write(found, directory):
    """bands.json, bands.png and bands.txt; returns the text."""
    os.makedirs(directory, exist_ok=True)
    table = {
        key: {
            name: {"values": values, "mean": mean_error(values)[0], "error": mean_error(values)[1]}
            for name, values in seen.items()
        }
        for key, seen in found.items()
    }
    text = _table(found) + "\n\n" + finding(found) + "\n"
    with open(os.path.join(directory, "bands.json"), "w", encoding="utf-8") as file:
        json.dump(
            finite({"cases": table, "comparisons": comparisons(found), "finding": finding(found)}), file, indent=1
        )
    with open(os.path.join(directory, "bands.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    style.save(_figure(found), os.path.join(directory, "bands.png"))
    return text


def _measures(result):
    pulled = tension.analyse(result)
    history = result.history
    level = correlation.analyse(result)[-1]
    distance, diagonal = level.families["45° to x"]
    along, axial = level.families["along x"]
    ring = np.linspace(*RING_NM, 50)
    quadrupole = float(np.mean(np.interp(ring, distance, diagonal) - np.interp(ring, along, axial)))
    return {
        "localisation": float(pulled.localisation[-1]),
        "participation": float(history["participation_ratio"].values[-1]),
        "quadrupole": quadrupole,
        "avalanche": float(np.mean(avalanches.analyse(result).size)),
        "flow_GPa": pulled.flow_GPa,
        "overshoot": pulled.overshoot,
    }


def _table(found):
    width = max(map(len, found))
    lines = [f"{'case':<{width}}  seeds  " + "  ".join(f"{name:>18}" for name in MEASURES)]
    for key, seen in found.items():
        cells = [" ± ".join(x for x in format_value(*mean_error(seen[name])) if x) for name in MEASURES]
        lines.append(f"{key:<{width}}  {len(seen['localisation']):5d}  " + "  ".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


@style.styled
def _figure(found):
    """(a) Localisation by structure and softening; (b) of the other cases; a point a seed."""
    figure, (left, right) = style.new(PAGE, 78 * MM, ncols=2, sharey=True)
    names = list(plan.STRUCTURES)
    for softening, color, shift in zip(SOFTENING_EV, (BLUE, GREEN, VERMILLION), (-0.2, 0.0, 0.2)):
        for i, name in enumerate(names):
            seen = found.get(f"structure: {name}, {softening:g} eV")
            if seen:
                label = f"softening {softening:g} eV" if i == 0 else None
                left.plot(
                    [i + shift] * len(seen["localisation"]),
                    seen["localisation"],
                    "o",
                    mfc="none",
                    color=color,
                    ms=3,
                    label=label,
                )
    left.set_xticks(range(len(names)), [name.replace("-", "-\n") for name in names])
    left.set(ylabel="localisation at 12.5 %")
    left.legend(loc="upper right")
    others = [key for key in found if not key.startswith("structure")]
    for i, key in enumerate(others):
        right.plot(
            [i] * len(found[key]["localisation"]), found[key]["localisation"], "o", mfc="none", color=BLACK, ms=3
        )
    right.set_xticks(
        range(len(others)), [key.split(": ")[1] + (" (large box)" if key.startswith("box") else "") for key in others]
    )
    right.tick_params(axis="x", labelrotation=60)
    for place, letter in ((left, "a"), (right, "b")):
        place.axhline(HOMOGENEOUS, ls="--", lw=0.7, color=GREY)
        place.tick_params(axis="x", which="both", length=0)
        style.panel(place, letter)
    return figure
