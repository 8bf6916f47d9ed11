# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no shear band? The runs: waves of plastic strain at 45 degrees to the tension, against softening, for the film's
domains and their controls; what is varied one at a time besides: the box, the rate, the machine, the law of softening,
the seeds. docs/bands.md says what is measured, and the rule by which it is judged; growth.py does both."""
from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

import h5py

from ..analysis import waves
from ..io import writing
from ..units import KB_EV, ROOM_K
from .sweeps import Axis, Sweep

SPACING_NM = 0.58
SIGNS = ("plus", "minus")
AMPLITUDE_EV = waves.Waves.amplitude_eV
UNIFORM = "uniform"
DOMAINS = "domains"
FROZEN, RANDOM, EQUAL = "frozen", "random phases", "equal histogram"  # the barriers of the domains, not their arrangement
STRONG = "uniform, equal strength"
MEAN_EV = 2.352  # of the model
SHIFT_EV = 0.133  # by which barriers are lower in the uniform glass that flows at the stress of the domains, 3.31 GPa at 7 %
STRUCTURES = {  # of the film, its controls, and what varies one thing of it
    UNIFORM: ('microstructure.type="uniform"',),
    DOMAINS: (),
    "domains, wavelength 5 nm": ("microstructure.wavelength_nm=5.0",),
    "domains, wavelength 10 nm": ("microstructure.wavelength_nm=10.0",),
    FROZEN: ('microstructure.control="frozen"',),
    RANDOM: ('microstructure.control="random-phases"',),
    EQUAL: ('microstructure.control="equal-histogram"',),
    "uniform, total width": ('microstructure.type="uniform"', "barriers.width_eV=0.21"),
    "interfaces 0 eV": ("barriers.interface_eV=0.0",),
    "interfaces 0.3 eV": ("barriers.interface_eV=0.3",),
    STRONG: ('microstructure.type="uniform"', f"barriers.mean_eV={MEAN_EV - SHIFT_EV:g}"),
}
FILM = tuple(STRUCTURES)
STIFF, PRESSED = "elasticity.contrast=0.3", "stz.normal_stress_coefficient=0.12"
STIFFISH, TIED = "elasticity.contrast=0.1", "barriers.modulus_scaling=1.0"
STRUCTURES |= {
    "uniform, normal stress": (*STRUCTURES[UNIFORM], PRESSED),
    "domains, moduli 0.3": (STIFF,),
    "domains, normal stress": (PRESSED,),
    "domains, moduli 0.3, normal stress": (STIFF, PRESSED),
    "domains, moduli 0.1, barriers by moduli": (STIFFISH, TIED),
    "domains, moduli 0.3, barriers by moduli": (STIFF, TIED),
}
MODULI = tuple(STRUCTURES)[len(FILM):]
COMMON = (
    'kmc.engine="multilevel"',
    "output.nbed_strains=[]",
    "output.events=true",
    "output.history_strain_step=0.001",
    "output.history_points_per_decade=2",
)
STRAIN = 0.07  # to which specimens are pulled: 2 to 3 % of it plastic
RATE_PER_S = "1e-06"
SLOWER_PER_S = f"{float(RATE_PER_S) * math.exp(-SHIFT_EV / (KB_EV * ROOM_K)):.4g}"  # as good as barriers lower by SHIFT_EV
SPARE = 0.01  # share of the runs that may fail: late in a band rates may outrun the bounds of the multilevel engine
SPECIMEN_NM = 25e3  # length of the film's specimens
YOUNG_GPA = 72.0
CREEP_GPA = 3.3

# Groups of runs: in each one thing differs from `structure`.
STRUCTURE, BOX, SAME, SOFT, SOFT_SAME = "structure", "box", "same waves", "soft machine", "soft machine, same waves"
HALF, OTHER_SEEDS, MAP = "half the amplitude", "other seeds", "map"
CREEP, SHIFTED_RATE = "creep", "rate of equal strength"
LAWS = {  # of softening
    "saturation 5": ("barriers.saturation=5",),
    "saturation 5, recovery": ("barriers.saturation=5", "barriers.recovery_rate_per_s=2e-4"),  # within 0.5 % of strain
}


@dataclass(frozen=True)
class Size:
    """How much of the study is done."""

    cells: tuple
    seeds: int
    softening_eV: tuple
    structures: tuple
    mapped: tuple  # box of the maps of slip
    controlled_eV: tuple = ()  # softening of the runs with other rates, machines and laws; none: there are none
    boxes: tuple = ()  # besides `cells`, of the uniform glass, with the longest waves that fit
    same: tuple = ()  # the same, with the waves of `cells`
    again: tuple = ()  # structures that are carried out with other seeds


ALL = tuple(STRUCTURES)
AGAIN = (UNIFORM, DOMAINS, FROZEN, EQUAL)
SIX = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
SIZES = {
    "quick": Size((64, 64, 32), 2, (0.0, 0.2), (UNIFORM, DOMAINS), (64, 64, 32)),
    "moduli": Size((64, 64, 32), 4, SIX, (UNIFORM, DOMAINS, *MODULI), (64, 64, 32)),
    "middle": Size(
        (64, 64, 32), 4, SIX, FILM, (128, 128, 32), (0.1, 0.2), ((96, 96, 32), (64, 64, 64)),
        ((64, 64, 64), (128, 64, 32), (128, 128, 32)), AGAIN,
    ),
    "full": Size(
        (256, 256, 32), 12, SIX, FILM, (256, 256, 32), (0.1, 0.2), ((64, 64, 32), (128, 128, 128), (512, 512, 32)),
        ((512, 256, 32), (512, 512, 32)), AGAIN,
    ),
}


@dataclass(frozen=True)
class Part:
    """Runs of one glass in one box, one sweep."""

    group: str
    name: str
    cells: tuple
    softening_eV: tuple
    seeds: tuple
    input: str = "tension.cfg"
    settings: tuple = (f"protocol[0].until_strain={STRAIN:g}", f"protocol[0].rate_per_s={RATE_PER_S}")
    amplitude_eV: float = AMPLITUDE_EV
    period: int = 0  # of the waves, cells

    @property
    def box(self):
        """Its name."""
        return "x".join(map(str, self.cells))


def parts(size="full"):
    """The study."""
    one = SIZES[size]
    seeds = tuple(range(1, 1 + one.seeds))
    ends = (one.softening_eV[0], one.softening_eV[-1])
    three = (ends[0], one.softening_eV[len(one.softening_eV) // 2], ends[1])
    for name in one.structures:
        yield Part(STRUCTURE, name, one.cells, one.softening_eV, seeds)
    for cells in one.boxes:
        yield Part(BOX, UNIFORM, cells, one.softening_eV[::2], seeds)
    if one.controlled_eV:
        yield from _controls(one, seeds)
    for cells in one.same:
        yield Part(SAME, UNIFORM, cells, ends, seeds, period=one.cells[0])
    for cells in (one.cells, *one.same) if one.same else ():
        yield Part(SOFT_SAME, UNIFORM, cells, ends, seeds, *_soft(cells), period=one.cells[0])
    for name in one.again:
        yield Part(OTHER_SEEDS, name, one.cells, three, tuple(one.seeds + seed for seed in seeds))
    for name in (UNIFORM, DOMAINS):
        yield Part(MAP, name, one.mapped, ends, seeds[:1], amplitude_eV=0.0)


def _controls(one, seeds):
    """What is varied one at a time, in both glasses."""
    pulled = Part.settings
    controls = {
        "rate 1e-8": ("tension.cfg", _at_rate("1e-08")),
        "rate 1e-4": ("tension.cfg", _at_rate("1e-04")),
        CREEP: ("creep.cfg", (f"protocol[0].stress_GPa={CREEP_GPA:g}", pulled[0], "protocol[0].duration_s=1e9")),
        SOFT: _soft(one.cells),
        **{law: ("tension.cfg", (*pulled, *settings)) for law, settings in LAWS.items()},
    }
    for group, control in controls.items():
        # Five steps of 0.2 eV would take barriers down to their floor: slip then runs away, for millions of events.
        softening = tuple(h / 2 for h in one.controlled_eV) if group in LAWS else one.controlled_eV
        for name in (UNIFORM, DOMAINS):
            yield Part(group, name, one.cells, softening, seeds, *control)
    yield Part(HALF, UNIFORM, one.cells, one.controlled_eV, seeds, amplitude_eV=AMPLITUDE_EV / 2)
    yield Part(SHIFTED_RATE, UNIFORM, one.cells, one.controlled_eV, seeds, settings=_at_rate(SLOWER_PER_S))


def _at_rate(rate):
    return Part.settings[0], f"protocol[0].rate_per_s={rate}"


def _soft(cells):
    """Input and settings of an actuator as soft as the whole specimen is for a box."""
    stiffness = YOUNG_GPA * cells[0] * SPACING_NM / SPECIMEN_NM
    return "onchip.cfg", (f"protocol[0].stiffness_GPa={stiffness:.4g}",
                          f"protocol[0].mismatch_strain={CREEP_GPA / stiffness:.4g}",
                          Part.settings[0], "protocol[0].duration_s=1e9")


def sweeps(size="full", directory="bands"):
    """The sweeps of the study, the runs of a pair side by side; write_waves makes the files that they name."""
    return [_sweep(directory, part) for part in parts(size)]


def _sweep(directory, part):
    stem = re.sub("[^a-z0-9.]+", "-", f"{part.group}-{part.name}-{part.box}".lower())
    axes = [Axis("barriers.softening_eV", part.softening_eV)]
    if part.amplitude_eV:
        files = (os.path.realpath(_wave_file(directory, sign, part)) for sign in SIGNS)
        axes.append(Axis("barriers.rise_file", tuple(files)))
    common = (*COMMON, f"lattice.cells=[{', '.join(map(str, part.cells))}]", *part.settings, *STRUCTURES[part.name])
    return Sweep(stem, part.input, common, tuple(axes), part.seeds, labels={"part": part})


def _wave_file(directory, sign, part):
    period = f"-{part.period}" if part.period else ""
    return os.path.join(directory, "waves", f"{sign}-{part.box}{period}-{1e3 * part.amplitude_eV:g}meV.h5")


def write_waves(study, directory):
    """The files of barriers that the sweeps of a study name."""
    os.makedirs(os.path.join(directory, "waves"), exist_ok=True)
    needed = {_wave_file(directory, "", sweep.labels["part"]): sweep.labels["part"] for sweep in study}
    for part in needed.values():
        field = waves_of(part).field_eV().astype("f4")
        for sign, factor in zip(SIGNS, (1, -1)) if part.amplitude_eV else ():
            with writing.replacing(_wave_file(directory, sign, part)) as path, h5py.File(path, "w") as made:
                made["rise_eV"] = factor * field


def waves_of(part):
    """That rise and fall in the barriers of its runs."""
    return waves.Waves(part.cells, amplitude_eV=part.amplitude_eV, period=part.period)
