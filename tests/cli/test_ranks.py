#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same trajectory on 1, 2, 3 and 4 ranks: the hash of the final state, and every number of the result, bit for bit;
and one changed digit of the input gives another."""
import os
import re
import tempfile

import h5py

from harness import expect, finish, run, write

# Random cells, correlated barriers in a composition field that is not cubic, an actuator, then creep; 3 ranks do not
# divide the planes.
INPUT = """
lattice: { cells = [16, 24, 32]; };
protocol = (
  { type = "actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.105; release_s = 60.0; duration_s = 1.0e4; },
  { type = "creep"; stress_GPa = 3.1; duration_s = 100.0; }
);
output: { nbed_strains = [0.0, 0.05]; };
nbed: { foil_nm = 15.0; scans = 4; };
run: { seed = 5L; };
"""


def content(path):
    """Every number that describes the sample, as bytes."""
    found = {}
    with h5py.File(path, "r") as file:
        for group in ("history", "nbed", "protocol", "microstructure"):
            def visit(name, item, group=group):
                for key, value in item.attrs.items():
                    found[f"{group}/{name}@{key}"] = bytes(value) if isinstance(value, bytes) else str(value)
                if isinstance(item, h5py.Dataset):
                    found[f"{group}/{name}"] = item[()].tobytes()
            file[group].visititems(visit)
    return found


def final_hash(path, cwd):
    found = re.search(r"^state_hash: ([0-9a-f]{16})$", run(["info", path], 1, cwd).stdout, re.MULTILINE)
    return found and found.group(1)


with tempfile.TemporaryDirectory() as folder:
    write(os.path.join(folder, "in.cfg"), INPUT)
    softened = ["--set", "barriers.softening_eV=0.1", "--set", "stz.quenched_strain=0.01", "--set", "barriers.recovery_rate_per_s=1e10",
                "--set", "barriers.recovery_eV=0.9", "--set", "barriers.distribution=\"weibull\""]
    for ranks in (1, 3):
        done = run(["run", "in.cfg", "-o", f"soft{ranks}.h5", "-q"] + softened, ranks, folder, 120)
        expect(f"softening runs on {ranks}", done.returncode == 0, done.stderr)
    expect("softening: same hash on 3", final_hash("soft3.h5", folder) == final_hash("soft1.h5", folder) is not None)
    for ranks in (1, 2, 3, 4):
        done = run(["run", "in.cfg", "-o", f"{ranks}.h5", "-q"], ranks, folder, 120)
        expect(f"runs on {ranks}", done.returncode == 0, done.stderr)
        if done.returncode:
            break
    else:
        first = content(os.path.join(folder, "1.h5"))
        with h5py.File(os.path.join(folder, "1.h5"), "r") as file:
            events = file["history/events"][-1]
            mean = file["history/plastic_strain_axial"][-1]
            field = file["microstructure/plastic_strain_axial"][()].mean(dtype=float)
        expect("enough happens", events > 100 and len(first) > 40, f"{events} events, {len(first)} items")
        expect("mean plastic strain is that of the field", mean > 0.01 and abs(field / mean - 1) < 1e-5, (field, mean))
        for ranks in (2, 3, 4):
            other = content(os.path.join(folder, f"{ranks}.h5"))
            differing = [name for name in first if first[name] != other.get(name)]
            expect(f"same numbers on {ranks}", not differing and len(other) == len(first), differing[:9])
            expect(f"same hash on {ranks}", final_hash(f"{ranks}.h5", folder) == final_hash("1.h5", folder) is not None)
        done = run(["run", "in.cfg", "-o", "changed.h5", "-q", "--set", "barriers.mean_eV=2.3521"], 1, folder, 120)
        expect("a change of the input shows", done.returncode == 0 and
               final_hash("changed.h5", folder) != final_hash("1.h5", folder), done.stderr)
finish()
