#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models are found from any folder, in the order that docs/input.md states, by whatever name the program is called."""
import os
import shutil
import subprocess
import tempfile

from harness import PROGRAM, SOURCE, expect, finish, run, write

INPUT = """model = "%s";
lattice: { cells = [16, 16, 16]; };
protocol = ( { type = "relaxation"; duration_s = 1.0; } );
"""
MODEL = "elasticity: { young_GPa = %.1f; };\n"
FCC = os.path.join(SOURCE, "models", "modes", "fcc.cfg")


def check(path, *options, program=PROGRAM, cwd=None, models=None):
    environment = {key: value for key, value in os.environ.items() if key != "STZKMC_MODELS"}
    if models is not None:
        environment["STZKMC_MODELS"] = models
    return subprocess.run([program, "check", path, *options], cwd=cwd, env=environment, capture_output=True, text=True,
                          timeout=60, check=False)


def young(done):
    """What the model that was found says."""
    lines = [line for line in done.stdout.splitlines() if "young_GPa" in line]
    return float(lines[0].split("=")[1].split(";")[0]) if lines else done.stderr


def check_anywhere(folder):
    """An input in a temporary folder, with the program by its path, by PATH, through a link, on two ranks."""
    write(os.path.join(folder, "own.cfg"), INPUT % "zr65ni35")
    with open(os.path.join(SOURCE, "models", "zr65ni35.cfg"), encoding="utf-8") as file:
        expect("the model sets what is looked at", "young_GPa" in file.read())
    expect("by its path", young(check("own.cfg", cwd=folder)) == 72.0, check("own.cfg", cwd=folder).stderr)
    done = check("own.cfg", "--set", "stz.modes=fcc", cwd=folder)
    expect("modes", "# shear modes: 12," in done.stdout, done.stderr)
    os.symlink(PROGRAM, os.path.join(folder, "kmc"))
    done = check("own.cfg", program=os.path.join(folder, "kmc"), cwd="/tmp" if folder == "/" else folder)
    expect("through a link", young(done) == 72.0, done.stderr)
    path = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
    done = subprocess.run(["stzkmc", "check", "own.cfg"], cwd=folder, env=os.environ | {"PATH": path}, text=True,
                          capture_output=True, check=False)
    expect("by PATH", young(done) == 72.0, done.stderr)
    done = run(["check", os.path.join(folder, "own.cfg")], 2, cwd="/")
    expect("on two ranks, from elsewhere", young(done) == 72.0, done.stderr)
    expect("with .cfg", young(check("own.cfg", "--set", 'model="zr65ni35.cfg"', cwd=folder)) == 72.0)


def check_order(folder):
    """Each place hides those behind it: all are filled, and emptied from the first on."""
    deep = os.path.join(folder, "a", "b", "c")
    write(os.path.join(deep, "in.cfg"), INPUT % "zr65ni35")
    places = [os.path.join(deep, "zr65ni35"), os.path.join(deep, "zr65ni35.cfg")]
    places += [os.path.join(deep, *above, "models", "zr65ni35.cfg") for above in ([], [".."], ["..", ".."], [".."] * 3)]
    lists = [os.path.join(folder, name) for name in ("first", "second")]
    places += [os.path.join(place, "zr65ni35.cfg") for place in lists]
    for number, place in enumerate(places):
        write(os.path.normpath(place), MODEL % (10 + number))
    models = ":".join(["", lists[0], "", os.path.join(folder, "none"), lists[1]])
    for number, place in enumerate(places):
        expect(f"place {number}", young(check(os.path.join(deep, "in.cfg"), models=models)) == 10 + number, place)
        if number == 5:  # as the user's folder sees it, with a relative path
            expect("from the input's folder", young(check("in.cfg", cwd=deep, models=models)) == 15.0)
        os.remove(os.path.normpath(place))
    expect("the build tree's last", young(check(os.path.join(deep, "in.cfg"), models=models)) == 72.0)
    os.makedirs(os.path.join(lists[1], "modes"))
    shutil.copy(FCC, os.path.join(lists[1], "modes", "own.cfg"))
    done = check(os.path.join(deep, "in.cfg"), "--set", "stz.modes=own", models=models)
    expect("modes of the list", "# shear modes: 12," in done.stdout, done.stderr)


def check_alike(folder):
    """An input that is named like its model is not taken for it, nor is another input beside it."""
    write(os.path.join(folder, "alike", "zr65ni35.cfg"), INPUT % "zr65ni35")
    write(os.path.join(folder, "alike", "other.cfg"), INPUT % "zr65ni35")
    for name in "zr65ni35.cfg", "other.cfg":
        done = check(name, cwd=os.path.join(folder, "alike"))
        expect("named alike: " + name, young(done) == 72.0, done.stderr)


def check_failure(folder):
    """The message is one line: where it looked, and what may be meant."""
    write(os.path.join(folder, "far", "in.cfg"), INPUT % "Zr65Ni35")
    write(os.path.join(folder, "models", "glass.cfg"), MODEL % 1)
    for models, told in ((None, "$STZKMC_MODELS (not set)"), ("/nowhere:/no", "/nowhere/, /no/")):
        done = check("in.cfg", cwd=os.path.join(folder, "far"), models=models)
        said = done.stderr
        begin = 'stzkmc: in.cfg:1: model: got "Zr65Ni35", needs a file beside the input or a name in models/; '
        expect("refused", done.returncode == 2 and said.count("\n") == 1 and said.startswith(begin), said)
        expect("near miss", 'did you mean "zr65ni35"?' in said, said)
        places = ["looked in ./, its models/ and that of each folder above, ../models/", told,
                  os.path.dirname(os.path.realpath(PROGRAM)) + "/models/", "share/stzkmc/models/"]
        expect("where it looked", all(place in said for place in places), said)
    done = check("in.cfg", "--set", 'stz.modes="fc"', "--set", 'model=""', cwd=os.path.join(folder, "far"))
    expect("modes", 'needs a file beside the input or a name in models/modes/; did you mean "fcc"?' in done.stderr,
           done.stderr)
    done = check("in.cfg", "--set", 'model="a\\nb"', cwd=os.path.join(folder, "far"))
    expect("one line", done.returncode == 2 and done.stderr.count("\n") == 1 and 'got "a?b"' in done.stderr, done.stderr)
    done = run(["check", "in.cfg"], 3, cwd=os.path.join(folder, "far"))
    ours = [line for line in done.stderr.splitlines() if line.startswith("stzkmc:")]
    expect("on three ranks", done.returncode == 2 and len(ours) == 1, done.stderr)


with tempfile.TemporaryDirectory() as scratch:
    check_anywhere(scratch)
    check_order(scratch)
    check_alike(scratch)
    check_failure(scratch)
finish()
