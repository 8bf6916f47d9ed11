#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A box that follows the plastic strain: the kernel of a stretched box by every engine, what a kernel that does not
follow leaves out, the balance of energy, restarts, ranks, sweeps, and what is refused.
`test_finite_strain.py PROGRAM MPIRUN SOURCE [--all]`: otherwise by the direct engine alone."""
import os
import sys
import tempfile

import h5py
import numpy as np

from harness import expect, expect_failure, finish, run, stop, write
from interaction import kernel, off_by, vectors, words

ALL = "--all" in sys.argv[4:]
ENGINES = (("direct", 16), ("multilevel", 32), ("points", 32))[:3 if ALL else 1]
ALLOWED = {"direct": 2e-7, "multilevel": 2e-3, "points": 2e-3}  # GPa, of an event's stress
STRETCH = ((0.1, -0.05, -0.05), (0.1, -0.05, -0.05), (-0.06, 0.09, -0.03), (0.14, -0.08, -0.06))  # of the vectors' cases
INPUT = """model = "zr65ni35";
lattice: { cells = [%d, %d, %d]; spacing_nm = 0.58; };
stz: { volume_nm3 = 1.7; gamma0 = %g; };
kmc: { engine = "%s"; };
elasticity: { young_GPa = 72.0; poisson = 0.4; finite_strain = "%s"; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = %g; temperature_K = 295.0; } );
"""


def source(folder, engine, cells, until, strain="box", gamma0=0.115):
    name = f"{engine}{cells}.cfg"
    write(os.path.join(folder, name), INPUT % (cells, cells, cells, gamma0, engine, strain, until))
    return name


def stretched(*by):
    return ["--stretch", ",".join(map(repr, by))]


def check_vectors(folder):
    """Direct: single precision. The others: what their splitting leaves out, at any place."""
    for stretch, (cells, (place, mode), points) in zip(STRETCH, vectors("stretched_vectors.txt"), strict=True):
        strain = [0.12 * p for p in mode]
        for engine, _ in ENGINES:
            name = source(folder, engine, cells, 0.01, gamma0=0.12)
            for move in ([0, 0, 0], [5, 14, 9]):
                event = [(p + m) % cells for p, m in zip(place, move)]
                sites = [[(o + m) % cells for o, m in zip(offset, move)] for offset, _ in points]
                found = kernel(folder, name, event, strain, sites, more=stretched(*stretch))
                off = off_by(found, points)
                expect(f"{engine} {mode} stretched by {stretch}", off < ALLOWED[engine], f"{off:.3g} GPa off")


def check_left_out(folder):
    """After a plastic strain of 10 % the kernel of the box as it was is wrong by that at touching neighbours and by twice
    that farther off (within 4 to 8 voxels, rms over all modes), not at the event's own site; a step of 0.005 leaves 1 %."""
    name = source(folder, "direct", 32, 0.01)
    offset = [(x, y, z) for x in range(-7, 8) for y in range(-7, 8) for z in range(-7, 8)]
    square = np.array([x * x + y * y + z * z for x, y, z in offset])
    near = np.flatnonzero(square <= 3)
    far = np.random.default_rng(1).choice(np.flatnonzero((square > 16) & (square < 64)), 300, replace=False)
    order = np.concatenate([near, far])
    sites = [[int(v) % 32 for v in offset[i]] for i in order]
    own, touching, beyond = square[order] == 0, (square[order] > 0) & (square[order] <= 3), square[order] > 3
    modes = (np.eye(6)[3:] * 2**-0.5).tolist() + [[0.5**0.5, -0.5**0.5, 0, 0, 0, 0], [-6**-0.5, -6**-0.5, 2 * 6**-0.5, 0, 0, 0]]
    found = {}
    for along in 0.0, 0.1, 0.105:
        stress = np.array([kernel(folder, name, [0, 0, 0], [0.05 * v for v in mode], sites,
                                  more=stretched(along, -along / 2, -along / 2)) for mode in modes])
        deviator = stress - stress[..., :3].mean(-1, keepdims=True) * [1, 1, 1, 0, 0, 0]
        found[along] = deviator * [1, 1, 1, 2**0.5, 2**0.5, 2**0.5]  # so that squares add up to the tensor's

    def off(one, other, of):
        change = (found[one] - found[other])[:, of]
        return np.sqrt((change**2).sum() / (found[other][:, of]**2).sum())
    print("10 %:", *(f"{off(0.1, 0.0, of):.4f}" for of in (own, touching, beyond)), "0.5 %:",
          *(f"{off(0.105, 0.1, of):.5f}" for of in (own, touching, beyond)))
    expect("the own stress stays", off(0.1, 0.0, own) < 2e-3, off(0.1, 0.0, own))
    expect("touching neighbours err by eps", abs(off(0.1, 0.0, touching) / 0.11 - 1) < 0.1, off(0.1, 0.0, touching))
    expect("farther ones by 2 eps", abs(off(0.1, 0.0, beyond) / 0.2 - 1) < 0.1, off(0.1, 0.0, beyond))
    expect("a step leaves 1 %", abs(off(0.105, 0.1, beyond) / 0.01 - 1) < 0.15, off(0.105, 0.1, beyond))


def outcome(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"], file["history/stress_axial_GPa"][()], file["history/heat_MJ_per_m3"][()]


def same(one, other):
    return one[0] == other[0] and all(np.array_equal(a, b) for a, b in zip(one[1:], other[1:]))


def check_runs(folder):
    """As many kernels as the plastic strain says; energy is balanced; a run that was stopped between any two of them is
    the run that was not; of the direct engine on any number of ranks."""
    for engine, cells in ENGINES:
        name = source(folder, engine, cells, 0.08)
        path = os.path.join(folder, "whole.h5")
        done = run(["run", name, "-o", path, "--force", "-v"], cwd=folder)
        expect(f"{engine} runs", done.returncode == 0, done.stderr)
        whole = outcome(path)
        with h5py.File(path) as file:
            plastic = file["history/plastic_strain_axial"][()]
            work, elastic, heat = (file[f"history/{what}_MJ_per_m3"][()] for what in ("work", "elastic_energy", "heat"))
        made, off = done.stderr.count("kernel made again"), abs(work - elastic - heat).max() / heat[-1]
        expect(f"{engine}: a kernel each 0.005", plastic.max() / 0.006 - 1 < made < plastic.max() / 0.005 + 1,
               f"{made} up to {plastic.max()}")
        print(f"{engine}: {made} kernels up to {plastic.max():.4f}, energy off by {off:.1e} of the heat")
        expect(f"{engine}: energy", off < (1e-6 if engine == "direct" else 1e-3), off)
        source(folder, engine, cells, 0.08, "load")
        run(["run", name, "-o", path, "--force", "-q"], cwd=folder)
        expect(f"{engine}: another trajectory than without", outcome(path)[0] != whole[0], whole[0])
        source(folder, engine, cells, 0.08)
        broken = os.path.join(folder, "broken.h5")
        codes = []
        while not codes or (codes[-1] == 75 and len(codes) < 40):
            codes.append(stop(["run", name, "-o", broken, "-q", "--restart"], 400, cwd=folder).returncode)
        print(engine, len(codes), "parts")
        expect(f"{engine}: stopped and went on", codes[0] == 75 and codes[-1] == 0, codes)
        expect(f"{engine}: as if never stopped", same(outcome(broken), whole), codes)
        os.remove(broken)
        for ranks in (2, 3, 4) if engine == "direct" else ():
            run(["run", name, "-o", path, "--force", "-q"], ranks, folder)
            expect(f"the same on {ranks} ranks", same(outcome(path), whole), outcome(path)[0])


def check_sweep(folder):
    """The runs of a sweep share tables; the second begins with a box that is not stretched."""
    source(folder, "direct", 16, 0.06)
    write(os.path.join(folder, "s.cfg"), 'input = "direct16.cfg"; replicas = 2; seed = 1L;')
    done = run(["sweep", "s.cfg", "-o", "swept", "-q"], cwd=folder)
    expect("sweep", done.returncode == 0, done.stderr)
    runs = sorted(entry for entry in os.listdir(os.path.join(folder, "swept", "runs")) if entry.endswith(".h5"))
    expect("two runs", len(runs) == 2, runs)
    for path in (os.path.join(folder, "swept", "runs", name) for name in runs):
        with h5py.File(path) as file:
            seed = str(file.attrs["seed"])
        run(["run", "direct16.cfg", "-o", "alone.h5", "-q", "--force", "--seed", seed], cwd=folder)
        expect(f"seed {seed} as alone", same(outcome(os.path.join(folder, "alone.h5")), outcome(path)), path)


def check_refused(folder):
    name = source(folder, "direct", 16, 0.01)
    for pairs, said in (
        (['lattice.boundary="film"'], 'elasticity.finite_strain: got "box", needs "load" with lattice.boundary = "film"'),
        (["elasticity.contrast=0.1"], 'elasticity.finite_strain: got "box", needs "load" with elasticity.contrast > 0, or '
         'contrast_model = "none"'),
        (['protocol[0].mode="shear"'], 'protocol[0].mode: got "shear", needs "uniaxial" with elasticity.finite_strain = '
         '"box", which keeps right angles'),
        (["elasticity.rebuild_strain=0.0"], "elasticity.rebuild_strain: got 0, needs >= 0.0005 and <= 0.1")):
        done = run(["check", name, *(word for pair in pairs for word in ("--set", pair))], cwd=folder)
        expect(said, done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr)
    for stretch, more, said in (
        ("0.1,0", [], "got `0.1,0`, needs three numbers X,Y,Z of at most 0.3"),
        ("0.4,0,0", [], "got `0.4,0,0`, needs three numbers X,Y,Z of at most 0.3"),
        ("0.1,0,0", ["--set", 'elasticity.finite_strain="load"', "--set", "elasticity.contrast=0.1"],
         "got `0.1,0,0`, needs a periodic box with uniform moduli")):
        done = run(["kernel", name, *words([0, 0, 0], [0, 0, 0, 0, 0, 0.05], [[1, 0, 0]], "--stretch", stretch, *more)],
                   cwd=folder)
        expect_failure("stretch " + stretch, done, 2, "--stretch: " + said)


with tempfile.TemporaryDirectory() as work_folder:
    check_vectors(work_folder)
    if ALL:
        check_left_out(work_folder)
    check_runs(work_folder)
    check_sweep(work_folder)
    check_refused(work_folder)
finish()
