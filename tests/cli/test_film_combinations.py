#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A film with each microstructure, loading and law, run by the fast engines: events happen, and the run stopped on one
rank and gone on with on several ends with the state of the run never stopped; or it is refused in one line."""
import os
import sys
import tempfile

from harness import SOURCE, expect, finish, run, stop, write

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
import h5py  # noqa: E402
import numpy as np  # noqa: E402

INPUT = """model = "zr65ni35-uniform";
lattice: { cells = [32, 32, 16]; boundary = "film"; };
microstructure: { type = "%s"; };
barriers: { width_eV = 0.3; };
protocol = ( %s );
"""
PULL = '{ type = "strain-rate"; rate_per_s = 1.0e-4; until_strain = 0.045; }'
LOADS = {
    "relaxation": PULL + ', { type = "relaxation"; duration_s = 1.0e3; }',
    "creep": '{ type = "creep"; stress_GPa = 2.9; duration_s = 20.0; }',
    "creep at what there is": PULL + ', { type = "creep"; duration_s = 1.0e2; }',
    "unload and age": PULL + ', { type = "unload"; rate_per_s = 1.0e-4; }, { type = "age"; duration_s = 1.0e4; }',
    "cycles": '{ type = "cyclic"; rate_per_s = 1.0e-3; turn_strains = [0.045, -0.04]; cycles = 1; }',
    "cycles of stress": '{ type = "cyclic"; rate_per_s = 1.0e-3; turn_stresses_GPa = [3.2, -3.0]; cycles = 1; }',
    "actuator": '{ type = "actuator"; stiffness_GPa = 60.0; mismatch_strain = 0.1; duration_s = 1.0e3; }',
    "actuator, small": '{ type = "actuator"; stiffness_GPa = 60.0; mismatch_strain = 0.1; geometry = "small"; '
                       'duration_s = 1.0e3; }',
    "rate jumps": '{ type = "rate-jump"; rates_per_s = [1.0e-4, 1.0e-3]; strain_each = 0.01; until_strain = 0.045; }',
    "ramp of the temperature": '{ type = "creep"; stress_GPa = 2.9; temperature_K = 280.0; temperature_end_K = 310.0; '
                               'duration_s = 20.0; }',
    "two strains": '{ type = "mixed"; control = ["strain", "strain", "stress", "stress", "stress", "stress"]; '
                   'strain_rates_per_s = [1.0e-4, 1.0e-4, 0.0, 0.0, 0.0, 0.0]; duration_s = 330.0; }',
    "two stresses": '{ type = "mixed"; control = ["stress", "stress", "stress", "stress", "stress", "stress"]; '
                    'stress_rates_GPa_per_s = [0.01, -0.003, 0.0, 0.0, 0.0, 0.0]; duration_s = 240.0; }',
}
KEYS = {
    "softening that heals": ["barriers.softening_eV=0.2", "barriers.recovery_rate_per_s=1e12", "barriers.recovery_eV=0.8"],
    "softening that adds up": ["barriers.softening_eV=0.1", "barriers.saturation=5.0", 'barriers.redraw="none"'],
    "a damaged slab": ["barriers.softening_eV=0.2", 'barriers.damage_shape="slab"', 'barriers.damage_normal="z"',
                       "barriers.damage_width_nm=2.0"],
    "a file of damage": ["barriers.softening_eV=0.2", 'barriers.damage_shape="file"', 'barriers.damage_file="made.h5"'],
    "a file of rises": ['barriers.rise_file="made.h5"'],
    "softer surfaces": ["barriers.surface_eV=-0.1"],
    "normal stress": ["stz.normal_stress_coefficient=0.1"],
    "pressure": ["stz.normal_stress_coefficient=0.1", 'stz.normal_stress="pressure"'],
    "a cooperative law": ['stz.barrier_law="cooperative"', "stz.tau_c_GPa=3.5"],
    "a quench and few modes": ["stz.quenched_strain=0.02", 'stz.modes="axes"', 'stz.orientation="aligned"',
                               "stz.mode_axes=[1,0,0,0,1,0, 1,0,0,0,0,1, 0,1,0,0,0,1, 1,1,0,-1,1,0]"],
    "everything written": ["output.events=true", "output.avalanches=true", "output.snapshots=true",
                           "output.nbed_strains=[0.0,0.02]", "output.statistics_strains=[0.02]", "nbed.foil_nm=5.0"],
}
STRUCTURES = {
    "random-waves": [],
    "random-waves, cut and shuffled": ['microstructure.profile="cut"', 'microstructure.control="shuffled"'],
    "random-waves, random phases": ['microstructure.control="random-phases"'],
    "cahn-hilliard": [],
    "layers": ["microstructure.layer_period_nm=3.9"],
    "layers, across": ['microstructure.layer_axis="x"', "microstructure.layer_period_nm=4.64"],
    "file": ['microstructure.file="made.h5"', 'microstructure.dataset="/composition"', 'microstructure.values="nickel"'],
}
REFUSED = {
    "moduli that vary": ["elasticity.contrast=0.1"],
    "a box that stretches": ['elasticity.finite_strain="box"'],
    "barriers by the modulus": ["barriers.modulus_scaling=1.0", "elasticity.contrast=0.1"],
    "simple shear": ['protocol[0].mode="shear"'],
    "a traction on the surfaces": ['protocol[0].type="mixed"', "protocol[0].duration_s=1.0",
                                   'protocol[0].control=["strain","stress","strain","stress","stress","stress"]'],
}


def sets_of(values):
    return [word for value in values for word in ("--set", value)]


def state(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"], int(file["history/events"][-1])


def check_works(folder, name, protocol, keys, ranks):
    """By each engine: whole on one rank, and in two parts on one rank and on `ranks`."""
    write(os.path.join(folder, "in.cfg"), INPUT % (name.split(",")[0] if name in STRUCTURES else "uniform", protocol))
    for engine in "multilevel", "points":
        call = ["run", "in.cfg", "-q", *sets_of([f'kmc.engine="{engine}"', *keys])]
        done = run([*call, "-o", "whole.h5", "--force"], 1, folder)
        expect(f"{name}, {engine}, runs", done.returncode == 0, done.stderr)
        if done.returncode:
            continue
        whole = state(os.path.join(folder, "whole.h5"))
        expect(f"{name}, {engine}, has events", whole[1] >= 10, whole)
        done = stop([*call, "-o", "part.h5", "--force"], 3, 1, folder)
        expect(f"{name}, {engine}, stops", done.returncode == 75, (done.returncode, done.stderr))
        done = run([*call, "-o", "part.h5", "--restart"], ranks, folder)
        found = state(os.path.join(folder, "part.h5")) if done.returncode == 0 else done.stderr
        expect(f"{name}, {engine}, the same through a restart on {ranks} ranks", found == whole, (found, whole))


def check_refused(folder, name, keys):
    write(os.path.join(folder, "in.cfg"), INPUT % ("random-waves", PULL))
    for verb in ["check", "in.cfg"], ["run", "in.cfg", "-o", "bad.h5"]:
        done = run([*verb, *sets_of(keys)], 1, folder)
        expect(f"{name}, refused by {verb[0]}", done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr)


with tempfile.TemporaryDirectory() as folder:
    with h5py.File(os.path.join(folder, "made.h5"), "w") as file:
        chance = np.random.default_rng(5).random((3, 32, 32, 16))
        file["composition"], file["damage"], file["rise_eV"] = chance[0], chance[1], 0.1 * chance[2]
    cases = [(name, protocol, []) for name, protocol in LOADS.items()]
    cases += [(name, PULL, keys) for name, keys in (KEYS | STRUCTURES).items()]
    for number, case in enumerate(cases):
        check_works(folder, *case, 2 + number % 2)
    for case in REFUSED.items():
        check_refused(folder, *case)
finish()
