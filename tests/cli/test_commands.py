#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command line in a block of the documents is one that some test runs: `stz-post`, `stzkmc nbed` and `stzkmc info`
here with --run, on small results; `stzkmc run` and `check` in test_docs.py; the rest is listed below with who runs it.
Without --run those of `stz-post` are only parsed."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from harness import SOURCE, expect, finish, read, run, write

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from stzpost.cli import main as cli  # noqa: E402  (from the source tree)
from stzpost.errors import StzPostError  # noqa: E402

DOCUMENTS = ["README.md", "CONTRIBUTING.md"] + sorted(
    os.path.relpath(path, SOURCE) for path in glob.glob(os.path.join(SOURCE, "docs", "*.md")))
RUN = sys.argv[4:] == ["--run"]
# First words (with the second where it matters) of commands that are not ours to run here.
ELSEWHERE = {
    "stzkmc run": "test_pages.py", "stzkmc check": "test_pages.py", "mpirun": "test_pages.py", "stzkmc sweep": "test_pages.py",
    "stzkmc kernel": "test_kernel.py and test_pages.py",
    "run/demo": "run by hand and by the demo's own check", "run/test": "this run", "run/setup": "run/test",
    "cpack": "the test `packaged`", "cmake": "run/test, and the test `installed`", "ctest": "run/test", "export": "sets a variable",
    "tests/mutants/check": "the tests mutants_quick and mutants_all", "docs/site/build": "test_site.py",
    "cc": "the test `installed`", "pip": "test_tutorial.py",
    "run/experiment": "run/experiment --quick, by hand", "run/calibrate": "by hand", "run/bands": "by hand",
}
SMALL = ["lattice.cells=[16,16,16]", "nbed.foil_nm=9.0", "output.events=true", "output.snapshots=true",
         "output.avalanches=true"]
WORD = re.compile(r"^(stz-post|stzkmc|mpirun|cmake|ctest|export|pip|cpack|xvfb-run|cc|postprocess/|run/|build/|tests/|docs/)\S*$")


def lines(name):
    """Command lines of the fenced and the indented blocks of a document."""
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        text = file.read()
    fenced = [body for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if kind in ("", "sh", "bash")]
    indented = re.findall(r"(?:^    .*\n)+", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    for line in (line for block in fenced + indented for line in block.splitlines()):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if words and WORD.match(words[0]) and not re.search(r"[→|…]|\.\.\.|\[--", line.split(" #")[0]) and not synopsis(words):
            yield words


def synopsis(words):
    return any(re.fullmatch(r"[A-Z]{3,}(\.\w+)?", word) for word in words[1:])


def plain(words):
    """The command without mpirun, xvfb-run and the folder of the program."""
    while words[0] in ("mpirun", "xvfb-run"):
        words = words[1:]
        while words[0].startswith("-"):
            words = words[2 if words[0] in ("-n", "--bind-to") else 1:]
    return [os.path.basename(words[0]) if os.path.basename(words[0]) in ("stzkmc", "stz-post") else words[0], *words[1:]]


def results(folder):
    """Small results under the names that the documents use."""
    for name, more in (("onchip", []), ("tension", ["output.snapshot_strains=[0.0,0.08]"]), ("smoke", [])):
        sets = [word for value in SMALL + more for word in ("--set", value)]
        done = run(["run", os.path.join(SOURCE, "inputs", name + ".cfg"), "-o", name + ".h5", "-q", *sets], 1, folder)
        expect("small " + name, done.returncode == 0, done.stderr)
    runs = os.path.join(folder, "results", "experiment", "runs")
    os.makedirs(runs)
    shutil.copy(os.path.join(folder, "onchip.h5"), os.path.join(runs, "onchip-72-1.h5"))
    write(os.path.join(folder, "mine.csv"), "time_s,stress_GPa,error_GPa\n7200,3.2,0.02\n691200,2.75,0.02\n")
    text = read(os.path.join(SOURCE, "inputs", "sweeps", "rates.cfg")).decode()
    for old, new in (("../tension", os.path.join(SOURCE, "inputs", "tension")), ("[24, 24, 24]", "[16, 16, 16]"),
                     ("13.0", "9.0"), ("count = 5", "count = 2"), ("250.0, 295.0, 340.0", "250.0, 300.0"),
                     ("replicas = 2", "replicas = 1")):
        expect("rates.cfg has " + old, old in text)
        text = text.replace(old, new)
    write(os.path.join(folder, "rates.cfg"), text)
    done = run(["sweep", "rates.cfg", "-o", "rates", "-q"], 1, folder)
    expect("small sweep", done.returncode == 0, done.stderr)


def spread(word, folder):
    """What a shell makes of a word with stars."""
    found = glob.glob(word, root_dir=folder) if "*" in word else []
    return sorted(found) or [word]


def post(words, folder):
    """`stz-post` in a child of this process, which has its libraries loaded: exit code, and what it said."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            code = cli.main(words)
            sys.stdout.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return code, said.read()


def virtually(words, folder):
    call = ["xvfb-run", "-a", sys.executable, os.path.join(SOURCE, "postprocess", "stz-post"), *words]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=200)
    return done.returncode, done.stdout + done.stderr


def parsed(words):
    try:
        cli.parser().parse_args(words)
    except StzPostError as error:
        return str(error)
    return ""


with tempfile.TemporaryDirectory() as folder:
    if RUN:
        results(folder)
    done_already = set()
    for name in DOCUMENTS:
        for original in lines(name):
            words = plain(original)
            key = " ".join(words)
            head = words[0] if words[0] != "stzkmc" else " ".join(words[:2])
            if key in done_already:
                continue
            done_already.add(key)
            if head == "stz-post" and not RUN:
                wrong = parsed(words[1:])
                expect(f"{name}: {key}", not wrong, wrong)
            elif head == "stz-post":
                virtual = original[0] == "xvfb-run"
                words = [name for word in words for name in spread(word, folder)]
                words = words[1:] + (["--frames", "3"] if words[1] == "movie" else [])
                code, said = virtually(words, folder) if virtual else post(words, folder)
                expect(f"{name}: {key}", code == 0 and said, said)
            elif head in ("stzkmc nbed", "stzkmc info") and RUN:
                done = run(words[1:], 1, folder)
                expect(f"{name}: {key}", done.returncode == 0 and done.stdout, done.stderr)
            elif head not in ("stzkmc nbed", "stzkmc info"):
                expect(f"{name}: somebody runs `{key}`", head in ELSEWHERE, head)
    ours = [key for key in done_already if key.startswith("stz-post")]
    expect("commands are found", len(ours) >= 15, ours)
finish()
