#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moduli that vary, through the whole program and with every engine: rates and plastic rate of a laminate against the
law by hand, the stress of events at both ends, the balance of energy, ranks, restarts, barriers tied to the modulus,
and what is refused."""
import json
import math
import os
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, expect_failure, finish, run, write
from interaction import kernel, words

CONTRAST, AMPLITUDE, SPACING, OMEGA, GAMMA0 = 0.4, 0.5, 0.58, 1.7, 0.115
NM3_GPA = 6.241509074  # eV/nm^3 per GPa
ENGINES = (("direct", 16), ("multilevel", 32), ("points", 32))
INPUT = """model = "zr65ni35";
lattice: { cells = [%d, %d, %d]; };
microstructure: { type = "file"; file = "field.h5"; dataset = "nickel"; values = "nickel"; };
kmc: { engine = "%s"; };
elasticity: { contrast = %g; };
%s
"""
ONE_MODE = """stz: { modes = "axes"; mode_axes = [1, 1, 0, 1, -1, 0]; orientation = "aligned"; };
barriers: { width_eV = 0.0; composition_eV = 0.0; interface_eV = 0.0; modulus_scaling = %g; };
protocol = ( { type = "creep"; stress_GPa = 2.5; duration_s = 1.0e-9; } );"""
FLOW = 'protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = %g; } );'


def setting(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


def field(folder, cells, g):
    """A field of the structure g of x, y, z in units of the box's edge."""
    at = np.arange(cells) / cells
    values = 0.35 + 0.15 * g(at[:, None, None], at[None, :, None], at[None, None, :])
    with h5py.File(os.path.join(folder, "field.h5"), "w") as file:
        file["nickel"] = np.broadcast_to(values, (cells, cells, cells))


def layers(cells):
    """Layers along z, of the same thickness in any box."""
    return lambda x, y, z: AMPLITUDE * np.cos(2 * np.pi * (cells // 16) * z) + 0 * (x + y)


def waves(x, y, z):
    turn = 2 * np.pi
    return 0.5 * np.cos(3 * turn * x) * np.cos(2 * turn * y) + 0.3 * np.sin(turn * (2 * y + 3 * z))


def result(folder, name, text, *arguments, ranks=1):
    source, path = os.path.join(folder, name + ".cfg"), os.path.join(folder, name + ".h5")
    write(source, text)
    done = run(["run", source, "-o", path, "--force", "-q", *arguments], ranks)
    expect(name + " runs", done.returncode == 0, done.stderr)
    return path


def check_laminate(folder):
    """tension along x: the mode feels (xx - yy)/2, which goes as the modulus, averaged over an STZ; its strain counts
    in the mean by the same factor."""
    for engine, cells in ENGINES[:2]:
        field(folder, cells, layers(cells))
        k, width2 = 2 * math.pi / (16 * SPACING), OMEGA**(2 / 3) / (4 * math.pi)
        z = np.arange(cells) * SPACING
        g = AMPLITUDE * np.cos(k * z)
        factor = 1 + 0.5 * CONTRAST * g * math.exp(-0.5 * k * k * width2)
        for scaling in 0.0, 1.0:
            text = INPUT % (cells, cells, cells, engine, CONTRAST, ONE_MODE % scaling)
            path = result(folder, "layers", text)
            barrier = 2.352 * (1 + scaling * 0.5 * CONTRAST * g)
            kT = 8.617333262e-5 * 295.0
            rate = 1e13 * SPACING**3 / OMEGA * np.exp(-(barrier - 0.5 * GAMMA0 * OMEGA * 1.25 * NM3_GPA * factor) / kT)
            total = cells**2 * rate.sum()
            plastic = cells**2 * (rate * factor).sum() * 0.5 * GAMMA0 * OMEGA / (cells * SPACING)**3
            with h5py.File(path) as file:
                found = file["history/total_rate_per_s"][0], file["history/plastic_rate_per_s"][0]
                drawn = file["microstructure/barrier_initial_eV"][0, 0]
            expect(f"{engine}: barriers", abs(drawn - barrier).max() < 1e-5, f"{drawn} {barrier}")
            expect(f"{engine}: rate of layers", abs(found[0] / total - 1) < 2e-3, f"{found[0]} {total}")
            expect(f"{engine}: plastic rate", abs(found[1] / plastic - 1) < 2e-3, f"{found[1]} {plastic}")


def product(a, b):
    return sum((1 if i < 3 else 2) * a[i] * b[i] for i in range(6))


def check_events(folder):
    """Work of an event at A on one at B is that of B on A; everywhere the stress is that of the uniform body times a
    factor of A and one of B, more where the glass is stiffer."""
    sites = [[3, 2, 5], [4, 2, 5], [5, 4, 4], [8, 9, 10], [0, 0, 1]]
    strains = [[0.02, -0.05, 0.03, 0.01, 0.02, 0.03], [0, 0, 0, 0, 0, 0.0575], [0.05, -0.05, 0, 0, 0, 0],
               [0, 0, 0, 0.04, 0.01, 0], [0.01, 0.01, -0.02, 0, 0.03, 0]]
    for engine, cells in ENGINES[:2]:
        count = 5 if engine == "direct" else 3
        field(folder, cells, waves)
        stress = {}
        for contrast in 0.0, CONTRAST:
            write(os.path.join(folder, "kernel.cfg"), INPUT % (cells, cells, cells, engine, contrast, FLOW % 0.01))
            stress[contrast] = [kernel(folder, "kernel.cfg", at, strain, sites)
                                for at, strain in zip(sites[:count], strains)]
        size = max(abs(product(strains[i], stress[CONTRAST][i][i])) for i in range(count))
        for i in range(count):
            for j in range(i):
                one, other = product(strains[j], stress[CONTRAST][i][j]), product(strains[i], stress[CONTRAST][j][i])
                allowed = 2e-6 if engine == "direct" else 2e-3
                expect(f"{engine}: A on B, B on A", abs(one - other) < allowed * size, f"{one} {other} of {size}")
        h = [0.5 * CONTRAST * waves(*(c / cells for c in at)) for at in sites[:count]]
        own = [product(strains[i], stress[CONTRAST][i][i]) / product(strains[i], stress[0.0][i][i])
               for i in range(count)]
        for i in range(count):
            for j in range(count):
                factor = math.sqrt(own[i] * own[j])
                off = np.abs(np.subtract(stress[CONTRAST][i][j], np.multiply(factor, stress[0.0][i][j]))).max()
                expect(f"{engine}: a factor at both ends", off < (2e-6 if engine == "direct" else 5e-3), f"{off} GPa")
        if engine == "direct":
            expect("stiffer where the modulus is higher", np.corrcoef(h, own)[0, 1] > 0.95, f"{h} {own}")


def vector_waves(x, y, z):
    """g of tests/data/contrast_*.txt with a contrast of CONTRAST."""
    turn = 2 * np.pi
    h = (0.10 * np.cos(3 * turn * x) * np.cos(2 * turn * y) + 0.06 * np.sin(turn * (2 * y + 3 * z)) +
         0.04 * np.cos(turn * (4 * x - z)))
    return h * 2 / CONTRAST


def check_vectors(folder):
    """The exact stress of events against the vectors, all six components. They are for moduli about that of h = 0, the
    program's about the effective one: `scale` of it. The sites' own grid would be 0.03 GPa off."""
    field(folder, 16, vector_waves)
    for holds in "bulk", "poisson":
        text = INPUT % (16, 16, 16, "direct", CONTRAST, FLOW % 0.01)
        write(os.path.join(folder, "exact.cfg"), text)
        with open(os.path.join(SOURCE, "tests", "data", "contrast_events.txt"), encoding="utf-8") as file:
            rows = [line.split() for line in file if line.startswith(holds)]
        for event in sorted({tuple(row[1:10]) for row in rows}):
            mine = [row for row in rows if tuple(row[1:10]) == event]
            sites = [[int(v) for v in row[10:13]] for row in mine]
            done = run(["kernel", "exact.cfg", "--json", *words([int(v) for v in event[:3]],
                        [float(v) for v in event[3:]], sites), *setting('elasticity.contrast_model="exact"',
                        f'elasticity.contrast_holds="{holds}"')], cwd=folder)
            expect(f"{holds}: exact kernel", done.returncode == 0, done.stderr)
            found = np.array(json.loads(done.stdout)["stress_GPa"])
            numbers = np.array([[float(v) for v in row[13:]] for row in mine])
            exact, change = numbers[:, :6] + numbers[:, 6:], abs(numbers[:, 6:]).max()
            scale = (found * exact).sum() / (exact * exact).sum()
            off = abs(found / scale - exact).max()
            print(holds, f"scale {scale:.6f}, off {off:.2e} of a change of {change:.3f} GPa")
            expect(f"{holds}: exact stress", off < 3e-4 and 1 < scale < 1.01, f"{off} {change} {scale}")


def check_energy(folder):
    for engine, cells, holds in ("direct", 16, "bulk"), ("direct", 16, "poisson"), ("multilevel", 32, "poisson"):
        field(folder, cells, waves)
        path = result(folder, "energy", INPUT % (cells, cells, cells, engine, CONTRAST, FLOW % 0.065),
                      *setting(f'elasticity.contrast_holds="{holds}"'))
        with h5py.File(path) as file:
            work, elastic, heat = (file[f"history/{name}_MJ_per_m3"][()]
                                   for name in ("work", "elastic_energy", "heat"))
            events, missed = file["history/events"][-1], file["engine"].attrs.get("missed", 0.0)
        off = abs(work - elastic - heat).max()
        allowed = 1e-6 if engine == "direct" else 1e-3
        expect(f"{engine}, {holds}: energy", off < allowed * heat[-1] and events > 15, f"{off} of {heat[-1]}, {events}")
        expect(f"{engine}, {holds}: bounds hold", missed <= 1e-3 * events + 1, missed)


def check_ranks_and_restart(folder):
    field(folder, 16, waves)
    text = INPUT % (16, 16, 16, "direct", CONTRAST, FLOW % 0.055)
    hashes = set()
    for ranks in 1, 2, 3:
        with h5py.File(result(folder, "ranks", text, ranks=ranks)) as file:
            hashes.add(file.attrs["state_hash"])
    expect("the same on 1, 2, 3 ranks", len(hashes) == 1, hashes)
    for engine, cells in ENGINES[::2]:
        field(folder, cells, waves)
        text = INPUT % (cells, cells, cells, engine, CONTRAST, FLOW % 0.05)
        with h5py.File(result(folder, "whole", text)) as file:
            whole = file.attrs["state_hash"], file["history/stress_axial_GPa"][()]
        source, path = os.path.join(folder, "whole.cfg"), os.path.join(folder, "broken.h5")
        if os.path.exists(path):
            os.remove(path)
        codes, seconds = [], 0.02  # shorter than the set-up: the first part ends at its first step
        while not codes or (codes[-1] == 75 and len(codes) < 14):
            codes.append(run(["run", source, "-o", path, "-q", "--restart", "--max-walltime", str(seconds)]).returncode)
            seconds = max(0.4, 2 * seconds)
        with h5py.File(path) as file:
            broken = file.attrs["state_hash"], file["history/stress_axial_GPa"][()]
        expect(f"{engine}: stopped and went on", codes[0] == 75 and codes[-1] == 0, codes)
        expect(f"{engine}: as if never stopped", broken[0] == whole[0] and np.array_equal(broken[1], whole[1]), codes)


def check_refused(folder):
    field(folder, 16, waves)
    for name, pairs, said in (
        ("in a film", ['lattice.boundary="film"'], 'elasticity.contrast: got 0.4, needs 0, or contrast_model = "none", '
         'with lattice.boundary = "film"'),
        ("a larger contrast", ["elasticity.contrast=0.7"], "elasticity.contrast: got 0.7, needs >= 0 and <= 0.6"),
        ("sharp borders", ["elasticity.contrast=0.5", 'microstructure.type="random-waves"', 'microstructure.profile="cut"'],
         'elasticity.contrast: got 0.5, needs <= 0.45 with microstructure.profile = "cut"'),
        ("too many clusters", ["order.acceptance=0.001", "order.bragg_fraction=0.999999"],
         "order.acceptance: got 0.001, needs >= 0.00236, for at most 50 clusters per voxel"),
        ("barriers tied to nothing", ["elasticity.contrast=0.0", "barriers.modulus_scaling=1.0"],
         "elasticity.contrast: got 0, needs > 0 with barriers.modulus_scaling > 0")):
        write(os.path.join(folder, "bad.cfg"), INPUT % (16, 16, 16, "direct", CONTRAST, FLOW % 0.01))
        done = run(["check", "bad.cfg", *setting(*pairs)], cwd=folder)
        expect(name, done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr)
    said = ("elasticity.contrast: got 0.4, needs less: where the structure is -6 the shear modulus would be -0.2 of the "
            "mean one")
    for command in ["check", "bad.cfg"], ["run", "bad.cfg", "-q"]:
        done = run([*command, *setting("microstructure.nickel_amplitude=0.02")], cwd=folder)
        expect_failure(f"a site without stiffness, {command[0]}", done, 2, said, 1)
    done = run(["check", "bad.cfg"], cwd=folder)
    expect("what is judged when a run begins", "# moduli: whether" in done.stdout, done.stdout)
    said = 'elasticity.contrast_model: got "exact" on 2 ranks, needs one rank with kmc.engine = "direct"'
    for command in ["check", "bad.cfg"], ["run", "bad.cfg", "-q"], ["kernel", "bad.cfg", *words([0, 0, 0], [0] * 6, [[1, 0, 0]])]:
        done = run([*command, *setting('elasticity.contrast_model="exact"')], 2, folder)
        expect_failure(f"exact on 2 ranks, {command[0]}", done, 2, said, 2)


with tempfile.TemporaryDirectory() as work:
    check_laminate(work)
    check_events(work)
    check_vectors(work)
    check_energy(work)
    check_ranks_and_restart(work)
    check_refused(work)
finish()
