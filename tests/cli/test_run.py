#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from the command line: what it says, what it writes, and that its result is kept."""
import glob
import os
import re
import tempfile

import h5py

from harness import SOURCE, expect, expect_failure, finish, read, run, write

SMOKE = os.path.join(SOURCE, "inputs", "smoke.cfg")


def state_hash(path, cwd):
    """From `info`, and the same in the file."""
    done = run(["info", path], 1, cwd)
    found = re.search(r"^state_hash: ([0-9a-f]{16})$", done.stdout, re.MULTILINE)
    expect(f"info {path}", done.returncode == 0 and found and not done.stderr, done.stdout + done.stderr)
    pairs = [line for line in done.stdout.splitlines() if not re.match(r"[\w ./\[\]-]+: ?", line)]
    expect("info prints a key: value a line", not pairs, pairs)
    return found and found.group(1)


def check_file(path, command):
    with h5py.File(path, "r") as file:
        expect("complete", file.attrs["complete"] == 1)
        line = file.attrs["command_line"]
        line = line.decode() if isinstance(line, bytes) else line
        expect("command_line", line.endswith(command), line)
        given = file["config/input"][()]
        given = given if isinstance(given, bytes) else given.encode()
        expect("config/input is the input", given == read(SMOKE), given[:80])
        resolved = file["config/resolved"][()]
        write(path + ".cfg", resolved)
        expect("a level each", sorted(file["nbed"]) == ["level_00", "level_01", "level_02"], list(file["nbed"]))
        expect("a segment each", len(file["protocol"]) == 4, list(file["protocol"]))
        expect("the strain ends where asked", abs(file["history/strain_axial"][:].max() - 0.06) < 0.01)


def check_field_from_file(folder):
    """The composition that a run wrote is that of another; the path is relative to the input, not to where one is."""
    smoke = read(SMOKE).decode().replace('model = "zr65ni35"', 'model = "glass.cfg"')
    inputs = os.path.join(folder, "inputs")
    write(os.path.join(inputs, "glass.cfg"), read(os.path.join(SOURCE, "models", "zr65ni35.cfg")))
    field = 'microstructure: { type = "file"; file = "../smoke.h5"; };\n'
    write(os.path.join(inputs, "field.cfg"), field + smoke)
    done = run(["check", "inputs/field.cfg"], 1, folder)
    expect("check of a field from a file", done.returncode == 0, done.stderr)
    done = run(["run", "inputs/field.cfg", "-o", "field.h5"], 3, folder)
    expect("run on a field from a file", done.returncode == 0, done.stderr)
    with h5py.File(os.path.join(folder, "smoke.h5")) as a, h5py.File(os.path.join(folder, "field.h5")) as b:
        same = (a["microstructure/composition"][:] == b["microstructure/composition"][:]).all()
        expect("the composition is the file's", same)
    named = "inputs/field.cfg:1: microstructure.file: inputs/../smoke.h5: "
    for command in ("check", "run -o none.h5"):
        for ranks in (1, 3):
            missing = [*command.split(), "inputs/field.cfg", "--set", "microstructure.dataset=/nothing"]
            expect_failure(f"{command}: no such dataset", run(missing, ranks, folder), 2,
                           named + "/nothing: got no dataset of this name", ranks)
            other = [*command.split(), "inputs/field.cfg", "--set", "lattice.cells=[16, 24, 16]"]
            expect_failure(f"{command}: another lattice", run(other, ranks, folder), 2,
                           named + "/microstructure/composition: got 16 x 16 x 16 values, "
                           "needs 16 x 24 x 16, the lattice's cells", ranks)
    barriers = ["run", "inputs/field.cfg", "--set", "microstructure.dataset=/microstructure/barrier_eV", "-o", "no.h5"]
    done = run(barriers, 1, folder)
    expect("values out of range", done.returncode == 2 and "at voxel [0, 0, 0], needs 0 to 1" in done.stderr, done.stderr)
    expect("nothing is written", not os.path.exists(os.path.join(folder, "no.h5")))


with tempfile.TemporaryDirectory() as folder:
    done = run(["run", SMOKE], 1, folder)
    expect("run", done.returncode == 0 and done.stdout == "", done.stderr)
    lines = "100 %" in done.stderr and "\r" not in done.stderr
    expect("progress into a file: lines, not a line rewritten", lines, done.stderr)
    expect("the result is named after the input", os.listdir(folder) == ["smoke.h5"], os.listdir(folder))
    check_file(os.path.join(folder, "smoke.h5"), "run " + SMOKE)
    first = state_hash("smoke.h5", folder)

    before = read(os.path.join(folder, "smoke.h5"))
    expect_failure("again without --force", run(["run", SMOKE], 1, folder), 3,
                   "smoke.h5: exists already; --force replaces it")
    expect("the result is kept", read(os.path.join(folder, "smoke.h5")) == before)
    done = run(["run", SMOKE, "--force", "-q"], 3, folder)
    expect("on 3 ranks, quiet", done.returncode == 0 and done.stdout + done.stderr == "", done.stderr)
    expect("replaced", read(os.path.join(folder, "smoke.h5")) != before)
    expect("the same on 3 ranks", state_hash("smoke.h5", folder) == first)

    done = run(["run", "smoke.h5.cfg", "-o", "again.h5"], 1, folder)
    expect("the resolved input runs", done.returncode == 0, done.stderr)
    expect("to the same end", state_hash("again.h5", folder) == first)
    # Without stress, and with barriers kept, an STZ that went there is as likely to go back: half of the events do.
    done = run(["run", SMOKE, "-o", "flicker.h5", "-q", "--set", "barriers.redraw=none", "--set",
                'protocol=({type="age";duration_s=1.0;temperature_K=700.0;})', "--set", "output.nbed_strains=[]"],
               2, folder)
    found = re.fullmatch(r"stzkmc: warning: (\d+) % of all events undid the event before at their site: "
                         r"the sample flickers\n", done.stderr)
    expect("flicker is told", done.returncode == 0 and found and 40 <= int(found.group(1)) <= 60, done.stderr)
    done = run(["info", "smoke.h5", "smoke.h5"], 1, folder)
    expect("no differences", done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr)
    done = run(["info", "smoke.h5", "again.h5"], 1, folder)
    names = {line.split(":")[0] for line in done.stdout.splitlines()}
    expect("the ways to the same state", "ranks: 3 | 1\n" in done.stdout and names <= {
        "ranks", "created_utc", "command_line"}, done.stdout)
    done = run(["run", SMOKE, "-o", "changed.h5", "-q", "--set", "barriers.width_eV=0.11", "--set",
                'protocol=({type="creep";stress_GPa=1.0;duration_s=2.0;temperature_K=300.0;})', "--set",
                "output.nbed_strains=[]"], 1, folder)
    expect("a changed run", done.returncode == 0, done.stderr)
    done = run(["info", "smoke.h5", "changed.h5"], 3, folder)
    told = done.stdout.splitlines()
    expect("info of two", done.returncode == 0 and not done.stderr, done.stderr)
    for line in ("barriers.width_eV: 0.1 | 0.11", 'protocol[0].type: "strain-rate" | "creep"',
                 "protocol[0].rate_per_s: 1e-06 | -", "protocol[0].stress_GPa: - | 1.0", "nbed_levels: 3 | 0",
                 "protocol[0].temperature_K: 295.0 | 300.0", "protocol[3].duration_s: 1000.0 | -",
                 "nbed_strains: 0 0.01 0.05 | ",
                 "output.nbed_strains: [0.0, 0.01, 0.05] | []"):
        expect("difference " + line, told.count(line) == 1, told)
    unlike = [line for line in told if line.startswith(("lattice", "stz.", "seed"))]
    expect("nothing that is the same", not unlike, unlike)
    expect_failure("info of three", run(["info", "smoke.h5", "again.h5", "more.h5"], 1, folder), 2,
                   "more.h5: got a third file, needs one or two")
    done = run(["run", SMOKE, "-o", "other.h5", "--seed", "2"], 1, folder)
    expect("another seed", done.returncode == 0 and state_hash("other.h5", folder) != first, done.stderr)

    check_field_from_file(folder)
    for model in sorted(glob.glob(os.path.join(SOURCE, "models", "*.cfg"))):
        name = os.path.basename(model).removesuffix(".cfg")
        if name == "vitreloy1":  # not made for what comes after yield; cli_literature runs it
            continue
        done = run(["run", SMOKE, "--set", "model=" + name, "-o", name + ".h5"], 1, folder)
        expect(f"a run of {name}", done.returncode == 0 and state_hash(name + ".h5", folder), done.stderr)
    write(os.path.join(folder, "text.h5"), "no HDF5")
    done = run(["info", "text.h5"], 1, folder)
    expect("info of another file", done.returncode == 3 and done.stderr.startswith("stzkmc: text.h5: "), done.stderr)
    expect("in one line", done.stderr.count("\n") == 1, done.stderr)
    done = run(["run", SMOKE, "-o", "many.h5"], 17, folder)
    ours = [line for line in done.stderr.splitlines() if line.startswith("stzkmc:")]
    expect("more ranks than planes", done.returncode == 2 and len(ours) == 1, done.stderr)
    expect("nothing is left of it", not os.path.exists(os.path.join(folder, "many.h5")))
finish()
