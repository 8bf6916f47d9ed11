#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps: `--set` belongs to the sweep; names that its readers need are refused before the first run, and whatever text is
on an axis, the manifest can be read."""
import json
import os
import sys
import tempfile

from harness import SOURCE, expect, expect_failure, finish, read, run, write

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
import stzpost  # noqa: E402
from stzpost.io.sweep import RESERVED  # noqa: E402

INPUT = """model = "zr65ni35";
lattice: { cells = [16, 16, 16]; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.01; } );
output: { history_strain_step = 0.01; history_points_per_decade = 1; };
"""
SWEEP = 'input = "in.cfg";\nset = [ "barriers.mean_eV=2.3" ];\naxes = ( { key = "%s"; values = ( %s );%s } );\n'
WIDTHS = SWEEP % ("barriers.width_eV", "0.05, 0.1", "%s")


def sweep(folder, *arguments, ranks=1):
    return run(["sweep", "s.cfg", *arguments], ranks, cwd=folder)


def header(folder, name):
    return json.loads(read(os.path.join(folder, name, "manifest.jsonl")).splitlines()[0])


def check_set(folder):
    write(os.path.join(folder, "s.cfg"), WIDTHS % "")
    options = ["--set", "barriers.composition_eV=0.1", "--set", "barriers.mean_eV=2.31"]
    done = sweep(folder, "-o", "a", "-q", *options, ranks=2)
    expect("runs", done.returncode == 0, done.stderr)
    resolved = stzpost.open_result(os.path.join(folder, "a", "runs", "000001.h5"))
    values = [resolved.resolved(f"barriers.{name}") for name in ("width_eV", "composition_eV", "mean_eV")]
    expect("applied to each run, over the sweep's own", values == [0.1, 0.1, 2.31], values)
    expect("recorded", header(folder, "a")["set"] == options[1::2], header(folder, "a"))
    expect_failure("resumed with another", sweep(folder, "-o", "a", "--resume", *options[:3], "barriers.mean_eV=2.32"), 2,
                   "a/manifest.jsonl: of another input: it has `barriers.mean_eV = 2.31;`, this one `barriers.mean_eV = 2.32;`")
    done = sweep(folder, "-o", "a", "--resume")
    expect("resumed without", done.returncode == 2 and "a/manifest.jsonl: of another input: it has `" in done.stderr,
           done.stderr)
    done = sweep(folder, "-o", "a", "--resume", *options)
    expect("resumed with the same", done.returncode == 0 and "2 done before" in done.stderr, done.stderr)
    for arguments in ["--list"], ["--dry-run"]:
        done = sweep(folder, "-o", "a", *arguments, *options)
        expect(arguments[0], done.returncode == 0, done.stderr)
    expect_failure("an axis", sweep(folder, "--set", "barriers.width_eV=0.1"), 2,
                   "--set: barriers.width_eV: is an axis of the sweep, needs another key")
    expect_failure("the seeds", sweep(folder, "--seed", "3"), 2,
                   "--seed: unknown option of `stzkmc sweep`, see stzkmc sweep --help; `stzkmc run` has it")
    expect_failure("the seed", sweep(folder, "--set", "run.seed=3"), 2,
                   "--set: run.seed: the sweep file's `seed` gives each run its own")
    expect_failure("a key that is none", sweep(folder, "-o", "b", "--set", "width=0.1"), 2,
                   "--set: width: unknown key, the nearest known one is barriers.width_eV")
    expect("nothing is left", not os.path.exists(os.path.join(folder, "b")))


def check_reserved(folder):
    for name in sorted(RESERVED | {"final_events", "time_s_history"}):
        for member in ("name", "zip") if name in ("row", "state") else ("name",):
            write(os.path.join(folder, "s.cfg"), WIDTHS % f' {member} = "{name}";')
            expect_failure(f"{member} {name}", sweep(folder, "-o", "c"), 2, f's.cfg:3: axes[0].{member}: got "{name}", needs '
                           "another name (`name` gives it): the sweep has one of its own")
    write(os.path.join(folder, "s.cfg"), WIDTHS % ' zip = "a b";')
    expect_failure("zip of two words", sweep(folder, "-o", "c"), 2,
                   's.cfg:3: axes[0].zip: got "a b", needs a name of letters, digits and _')
    write(os.path.join(folder, "s.cfg"), SWEEP % ("microstructure.file", '"a.h5"', ""))
    expect_failure("the last part of a key", sweep(folder, "-o", "c"), 2, 's.cfg:3: axes[0].name: got "file", needs another '
                   "name (`name` gives it): the sweep has one of its own")
    expect("nothing is left", not os.path.exists(os.path.join(folder, "c")))


def check_texts(folder):
    """Models with names that are more than names."""
    names = ["a\nb", 'q"uote', "back\\slash", "<!--<script>", "$x^$", os.fsdecode(b"\xff\xfe"), "tab\there"]
    for name in names:
        write(os.path.join(folder, os.fsencode(name).decode(errors="surrogateescape") + ".cfg"), "order: { loss = 0.5; };\n")
    quoted = ", ".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in names)
    write(os.path.join(folder, "s.cfg"), os.fsencode(SWEEP % ("model", quoted, "")))
    done = sweep(folder, "-o", "d", "-q")
    expect("models of any name", done.returncode == 0, done.stderr)
    lines = read(os.path.join(folder, "d", "manifest.jsonl")).decode().splitlines()
    expect("a line a run", all(isinstance(json.loads(line), dict) for line in lines) and len(lines) >= 15, lines)
    found = stzpost.open_sweep(os.path.join(folder, "d"))["model"].values.tolist()
    expect("their names", found == [name.encode(errors="replace").decode().replace("\udcff", "?") if name != names[5] else "??"
                                    for name in names], found)
    done = sweep(folder, "-o", "d", "-q", "--resume")
    expect("and goes on", done.returncode == 0, done.stderr)


with tempfile.TemporaryDirectory() as scratch:
    write(os.path.join(scratch, "in.cfg"), INPUT)
    check_set(scratch)
    check_texts(scratch)
    check_reserved(scratch)
finish()
