# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no shear band? Localisation of a glass that softens, with the film's domains and without, one thing varied at a
time: softening, structure and its controls, wavelength, contrast, interfaces, size of the box; several seeds each.

`uniform` has the noise alone, and so a narrower distribution of barriers; `shuffled` and `equal-histogram` have the
barriers of the domains without their arrangement: what they suppress as well, the arrangement is not needed for.
"""
import json
import os
import re

import numpy as np

from ..analysis import avalanches, correlation, tension
from ..analysis.quantity import finite, format_value, mean_error, welch
from ..io import writing
from ..io.result import open_result
from ..plots import style
from ..plots.style import BLUE, GREEN, GREY, MM, PAGE, VERMILLION
from . import runs as plan
from .sweeps import Axis, Sweep
from .targets import HOMOGENEOUS

SEEDS = 8
LARGE_SEEDS = 6
SOFTENING_EV = (0.0, 0.15, 0.3)
BOXES = {"structure": "box of 18.6 nm", "large": "box of 27.8 nm"}
LARGE = "lattice.cells=[48, 48, 48]"
CONTROLS = ("uniform", "shuffled", "equal-histogram")
SURE = 0.05 / len(CONTROLS)  # p of one comparison: 5 % for the controls of one softening together
WIDE = "wavelength 5 nm (domain width 2.5 nm)"  # the other reading of the measured length
DOMAINS = ("domains", WIDE)
VARIATIONS = {  # of the domains, one thing each
    WIDE: ("microstructure.wavelength_nm=5.0",),
    "contrast 0.1 eV": ("barriers.composition_eV=0.1",),
    "contrast 0.4 eV": ("barriers.composition_eV=0.4",),
    "interfaces 0 eV": ("barriers.interface_eV=0.0",),
    "interfaces 0.3 eV": ("barriers.interface_eV=0.3",),
    "uniform of the same total width": ('microstructure.type="uniform"', "barriers.width_eV=0.21"),
}
RING_NM = (2.0, 5.0)  # distances over which the quadrupole is averaged: beyond an STZ, within half the box
MEASURES = {
    "localisation": "localisation",
    "participation": "participation ratio",
    "quadrupole": "autocorrelation at 45° less along the axis",
    "avalanche": "mean size of avalanches (events)",
    "flow_GPa": "flow stress (GPa)",
    "overshoot": "upper yield over flow",
}


def sweeps(quick=False):
    """The sweeps of the study, by the fast engine: structures by softening; then, where there is softening, single
    variations of the domains and a box half as large again."""
    soft = SOFTENING_EV[1:]
    structures = plan.STRUCTURES.items()
    if quick:
        return [_sweep("structure", name, sets, soft[1:], plan.seeds(2)) for name, sets in structures]
    few = plan.seeds(LARGE_SEEDS)
    return [
        *(_sweep("structure", name, sets, SOFTENING_EV) for name, sets in structures),
        *(_sweep("variation", name, sets, soft) for name, sets in VARIATIONS.items()),
        *(_sweep("large", name, (*sets, LARGE), soft, few) for name, sets in structures),
        _sweep("large", WIDE, (*VARIATIONS[WIDE], LARGE), soft, few),
    ]


def _sweep(group, name, settings, softening, seeds=plan.seeds(SEEDS)):
    common = (
        'kmc.engine="multilevel"',
        "output.nbed_strains=[]",
        "output.statistics_strains=[0.05, 0.12]",
        "output.avalanches=true",
    )
    file = f"{group}-{re.sub('[^a-z0-9.]+', '-', name.split(' (')[0].lower())}"
    axes = (Axis("barriers.softening_eV", softening),)
    return Sweep(file, "tension.cfg", (*settings, *common), axes, seeds, labels={"group": group, "name": name})


def case_of(group, name, softening):
    """What runs that differ by their seeds alone are called."""
    return f"{group}: {name}, {softening:g} eV"


def analyse(runs):
    """{case: {measure: values over seeds}}."""
    found = {}
    for run in runs:
        case = case_of(run.values["group"], run.values["name"], run.values["softening_eV"])
        seen = found.setdefault(case, {name: [] for name in MEASURES})
        for name, value in _measures(open_result(run.path)).items():
            seen[name].append(value)
    return found


def comparisons(found):
    """Localisation of the domains, in both readings of their length, less that of each control, by softening and box:
    the difference with its 95 % interval, and p of the domains not localising less (Welch's test, one-sided)."""
    results = []
    for group in BOXES:
        for softening in SOFTENING_EV:
            for name in DOMAINS:
                domains = found.get(_key(group, name, softening), {"localisation": []})["localisation"]
                for control in CONTROLS:
                    other = found.get(_key(group, control, softening), {"localisation": []})["localisation"]
                    if min(len(domains), len(other)) < 2:
                        continue
                    difference, half, p = welch(domains, other)
                    results.append(
                        {
                            "box": group,
                            "softening_eV": softening,
                            "domains": name,
                            "control": control,
                            "means": [float(np.mean(domains)), float(np.mean(other))],
                            "difference": difference,
                            "interval_95": [difference - half, difference + half],
                            "p": p,
                        }
                    )
    return results


def _key(group, name, softening):
    """Of a case by its box: the variations of the smaller one have a group of their own."""
    return case_of("variation" if group == "structure" and name in VARIATIONS else group, name, softening)


def finding(found):
    """What the study says, in words that follow from its numbers: a sentence for each box and softening."""
    softened = [
        _at(found, group, softening, name) for group in BOXES for softening in SOFTENING_EV[1:] for name in DOMAINS
    ]
    if not any(softened):
        return "The controls are not complete: no finding."
    plain = [max(seen["localisation"]) for key, seen in found.items() if key.endswith(f", {SOFTENING_EV[0]:g} eV")]
    if plain:
        verdict = "nothing localises, whatever the structure" if max(plain) < HOMOGENEOUS else "some samples localise"
        softened.insert(0, f"Without softening {verdict}: at most {max(plain):.2f}.")
    return "\n".join(one for one in softened if one)


def _at(found, group, softening, domains):
    """The sentence of one box, softening and reading of the domains' length; None while a control is missing."""
    by = {
        one["control"]: one
        for one in comparisons(found)
        if (one["box"], one["softening_eV"], one["domains"]) == (group, softening, domains)
    }
    if set(by) != set(CONTROLS):
        return None
    overshoot = np.mean(found[_key(group, domains, softening)]["overshoot"])
    text = (
        f"{domains}, softening {softening:g} eV, {BOXES[group]}: localisation {by['uniform']['means'][0]:.2f}, upper yield "
        f"{overshoot:.2f} of flow; less than "
    )
    text += ", ".join(
        f"{name} ({one['means'][1]:.2f}) by {-one['difference']:.2f} (95 %: {-one['interval_95'][1]:.2f} to "
        f"{-one['interval_95'][0]:.2f}, p = {one['p']:.2g})"
        for name, one in by.items()
    )
    clear = [name for name, one in by.items() if one["p"] < SURE and one["means"][1] > HOMOGENEOUS]
    if "uniform" not in clear:
        return text + ": no clear suppression of a band by domains."
    if len(clear) == len(CONTROLS):
        return text + ": localisation is suppressed, and that barriers are arranged in domains matters."
    if all(by[name]["means"][1] < HOMOGENEOUS for name in CONTROLS if name != "uniform"):
        return text + (
            ": localisation is suppressed, but their arrangement is not needed for it. The same barriers without domains "
            "stay homogeneous too: frozen disorder suffices, which is unflattering to the hypothesis that the domains and "
            "their interfaces do it."
        )
    text += ": less than in a uniform glass"
    others = [name for name in CONTROLS if name not in clear]
    unclear = " and ".join(name for name in others if by[name]["means"][1] >= HOMOGENEOUS)
    silent = " and ".join(name for name in others if by[name]["means"][1] < HOMOGENEOUS)
    text += f"; that it is less than in {unclear} is not shown" if unclear else ""
    return text + (f"; {silent} does not localise either." if silent else ".")


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
    with writing.text(os.path.join(directory, "bands.json")) as file:
        json.dump(
            finite({"cases": table, "comparisons": comparisons(found), "finding": finding(found)}), file, indent=1
        )
    with writing.text(os.path.join(directory, "bands.txt")) as file:
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
    """Localisation of every case, a line each, and a point a seed; those without a run are left out."""
    lines = [("structure", name, name) for name in plan.STRUCTURES]
    lines += [("variation", name, name) for name in VARIATIONS]
    lines += [("large", name, f"{name}, larger box") for name in (*plan.STRUCTURES, WIDE)]
    lines = [one for one in lines if any(f"{one[0]}: {one[1]}, {s:g} eV" in found for s in SOFTENING_EV)]
    figure, axes = style.new(0.85 * PAGE, (22 + 6 * len(lines)) * MM)
    for softening, color, shift in zip(SOFTENING_EV, (BLUE, GREEN, VERMILLION), (-0.24, 0.0, 0.24)):
        x, y = [], []
        for i, (group, name, _) in enumerate(lines):
            seen = found.get(f"{group}: {name}, {softening:g} eV", {"localisation": []})["localisation"]
            x, y = x + list(seen), y + [i + shift] * len(seen)
        if x:
            axes.plot(x, y, "o", mfc="none", color=color, ms=3, label=f"softening {softening:g} eV")
    axes.axvline(HOMOGENEOUS, ls="--", lw=0.7, color=GREY)
    axes.set_yticks(range(len(lines)), [label for _, _, label in lines])
    axes.tick_params(axis="y", which="both", length=0)
    axes.set(xlabel="localisation at 12.5 %", ylim=(len(lines) - 0.5, -0.5))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, columnspacing=0.9, handlelength=0.7)
    return figure
