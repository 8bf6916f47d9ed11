# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of the experiment, as sweeps: several seeds of each. launch.py carries them out."""
import os
import re

from ..errors import StzPostError
from ..units import ROOM_K
from . import measured
from .sweeps import Axis, Sweep

# The actuators of the array have one cross-section and differ in length. With the residual stress s_a of the beam,
# mismatch * stiffness = s_a A_a/A_s for all of them: 8.28 GPa here, so that the one of 72 GPa stretches the specimen
# to about 7 %. The lengths are spread over elastic specimens, the neighbourhood of yield, and flow, and lie close where
# losses cross the detection limit.
PULL_GPA = 8.28
NEAR_THRESHOLD = (168.0, 164.0, 160.0, 157.0, 153.0, 149.0, 145.0)
STIFFNESSES = (
    *(756.0, 372.0, 204.0, 176.0),
    *NEAR_THRESHOLD,
    *(141.0, 127.0, 114.0, 100.0, 86.0, 72.0, 62.0, 55.0, 50.0),
)
QUICK_STIFFNESSES = (372.0, 176.0, 157.0, 141.0, 100.0, 72.0, 55.0)
# Of diffraction: {strain: stiffness of the actuator that has stretched the specimen to a thousandth less after 51 days}.
COUNTED = {0.01: 782.0, 0.05: 115.2, 0.08: 71.1, 0.12: 47.6}
PULLED_ON = 1e-4  # strain by which the pull at the end goes past the level
FRACTURE = measured.value("T2 ductility", "strain") / 100  # strain to which specimens are pulled
RATES = (1e-8, 1e-6, 1e-4)  # of the master curve
INDENTATION_RATE = measured.value("T3 indentation", "rate")  # per second
INDENTATION_RATES = (0.1 * INDENTATION_RATE, INDENTATION_RATE, 10 * INDENTATION_RATE)  # for the slope at that rate
TEMPERATURES = (250.0, ROOM_K, 350.0)
STRUCTURES = {  # the field of domains and its controls; all have the same total width of barriers but `uniform`
    "domains": [],
    "shuffled": ['microstructure.control="shuffled"'],
    "equal-histogram": ['microstructure.control="equal-histogram"'],
    "uniform": ['microstructure.type="uniform"'],
}
ENGINE = 'kmc.engine="direct"'  # all figures of docs/experiment.md are of this one
SOFTENING_EV = 0.3  # strong enough for a uniform glass to localise


def seeds(count):
    """1 to `count`, at every point of a sweep."""
    return tuple(range(1, count + 1))


def experiment(quick=False):
    """The sweeps of `run/experiment`."""
    few = seeds(2 if quick else 6)
    return [
        _onchip(QUICK_STIFFNESSES if quick else STIFFNESSES, few),
        Sweep("tension", "tension.cfg", (ENGINE, f"protocol[0].until_strain={FRACTURE:g}"), seeds=seeds(3 if quick else 24)),
        *(_counted(strain, seeds(3 if quick else 24)) for strain in COUNTED),
        _flow((ROOM_K,) if quick else TEMPERATURES, seeds(1 if quick else 3)),
        _indentation(few),
        Sweep("jump", "rate-jump.cfg", (ENGINE,), seeds=few),
        Sweep("repeated", "repeated.cfg", (ENGINE,), seeds=few),
        *(_band(structure, quick, few) for structure in STRUCTURES),
    ]


def _onchip(stiffnesses, few):
    """One specimen for each actuator of the array."""
    mismatches = tuple(float(f"{PULL_GPA / stiffness:.6g}") for stiffness in stiffnesses)
    axes = (
        Axis("protocol[0].stiffness_GPa", stiffnesses, "actuator"),
        Axis("protocol[0].mismatch_strain", mismatches, "actuator"),
    )
    return Sweep("onchip", "onchip.cfg", (ENGINE,), axes, few)


def _counted(strain, few):
    """Specimens whose patterns are counted after 51 days on the chip, one strain each."""
    stiffness = COUNTED[strain]
    settings = (
        ENGINE,
        f"protocol[0].stiffness_GPa={stiffness!r}",
        f"protocol[0].mismatch_strain={PULL_GPA / stiffness:.6g}",
        f"protocol[1].until_strain={strain + PULLED_ON:.6g}",
        f"output.nbed_strains=[0.0, {strain!r}]",
    )
    return Sweep(f"counted-{100 * strain:g}", "counted.cfg", settings, (), few, "counted")


def _flow(temperatures, few):
    """The rates of the master curve at each temperature."""
    kelvins, rates = zip(*((kelvin, rate) for kelvin in temperatures for rate in RATES))
    axes = (Axis("protocol[0].temperature_K", kelvins, "test"), Axis("protocol[0].rate_per_s", rates, "test"))
    return Sweep("flow", "tension.cfg", (ENGINE, "output.nbed_strains=[]"), axes, few)


def _indentation(few):
    """Flow about the rate of nanoindentation."""
    axes = (Axis("protocol[0].rate_per_s", INDENTATION_RATES),)
    return Sweep("indentation", "tension.cfg", (ENGINE, "output.nbed_strains=[]"), axes, few)


def _band(structure, quick, few):
    """With and without softening; of the domains without, `tension` has the runs."""
    softening = (SOFTENING_EV,) if quick or structure == "domains" else (0.0, SOFTENING_EV)
    return Sweep(
        f"band-{structure}",
        "tension.cfg",
        (ENGINE, *STRUCTURES[structure], "output.nbed_strains=[]"),
        (Axis("barriers.softening_eV", softening),),
        few,
        "band",
        {"structure": structure},
    )


def model_values(inputs, names, model="zr65ni35.cfg"):
    """{path of a key: its number} as the model beside the inputs gives it."""
    text, found = _text(os.path.join(inputs, os.pardir, "models", model)), {}
    for name in names:
        match = re.search(rf"^\s*{re.escape(name.split('.')[-1])}\s*=\s*([-+.\deE]+)", text, re.MULTILINE)
        if not match:
            raise StzPostError(f"{model}: no {name}")
        found[name] = float(match[1])
    return found


def _text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error
