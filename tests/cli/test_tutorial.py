#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package as a user installs it: pip into a fresh virtual environment that sees the system's numpy and its like, then
`stz-post --help`, the xarray engine, and the tutorial notebooks, executed there: the text that they print is that of their
stored outputs. Needs Debian's python3-pip, python3-venv, python3-setuptools, python3-wheel, python3-nbclient and
python3-ipykernel.

    test_tutorial.py PROGRAM MPIRUN SOURCE_DIR --store

stores the outputs of this execution in docs/tutorials, where they are to change."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from harness import PROGRAM, SOURCE, expect, finish

# Executes a notebook into a file of its own; what a cell prints in several pieces is one output.
EXECUTE = """
import copy, sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], as_version=4)
metadata = copy.deepcopy(book.metadata)
NotebookClient(book, timeout=120, kernel_name="python3", record_timing=False).execute()
book.metadata = metadata
for cell in book.cells:
    if cell.cell_type == "code":
        outputs = []
        for out in cell.outputs:
            last = outputs[-1] if outputs else None
            if last and out.output_type == last.output_type == "stream" and out.name == last.name:
                last.text += out.text
            else:
                outputs.append(out)
        cell.outputs = outputs
nbformat.write(book, sys.argv[2])
"""
NUMBER = re.compile(r"[-+−]?\d+(\.\d+)?([eE][-+]?\d+)?$")

ABOUT = """
from importlib.metadata import distribution
stzpost = distribution("stzpost")
print(stzpost.metadata["Author"])
print("stz-post --help" in (stzpost.metadata["Description"] or stzpost.metadata.get_payload()))
print("".join(one.read_text() for one in stzpost.files if one.name == "LICENSE"), end="")
"""


def call(words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, **options)


def outputs(path):
    """The outputs of a notebook, cell by cell: pictures are counted, texts are lists of words. Names of objects in memory
    are left out."""
    with open(path, encoding="utf-8") as file:
        cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    pictures, words = 0, []
    for cell in cells:
        said = ""
        for out in cell["outputs"]:
            pictures += "image/png" in out.get("data", {})
            said += "".join(out["text"]) if out["output_type"] == "stream" else ""
            if out["output_type"] == "execute_result":
                said += "".join(out["data"].get("text/plain", ""))
        words.append(re.sub(r"<[^>]*>", "<>", said).split())
    return pictures, words


def same(one, other):
    """Whether two words are the same, or numbers that differ by one in the last digit: the last bits of fits hang on the
    libraries. A state_hash is a word."""
    one, other = (word.strip(",;:%()") for word in (one, other))
    if one == other:
        return True
    if not (NUMBER.match(one) and NUMBER.match(other)) or "e" in (one + other).lower():
        return False
    digits = [len(word.partition(".")[2]) for word in (one, other)]
    values = [float(word.replace("−", "-")) for word in (one, other)]
    return abs(values[0] - values[1]) <= 1.01 * 10.0 ** -min(digits)


def difference(stored, found):
    """The first place at which the texts of two notebooks differ; empty: none."""
    for number, (before, now) in enumerate(zip(stored, found), 1):
        if len(before) != len(now) or not all(map(same, before, now)):
            return f"code cell {number} stores {' '.join(before)!r} and prints {' '.join(now)!r}"
    return "" if len(stored) == len(found) else "other cells"


with tempfile.TemporaryDirectory() as folder:
    source, place = os.path.join(folder, "postprocess"), os.path.join(folder, "venv")
    call(["cp", "-r", os.path.join(SOURCE, "postprocess"), source])  # setuptools builds inside the source
    call([sys.executable, "-m", "venv", "--system-site-packages", place])
    python = os.path.join(place, "bin", "python")
    done = call([python, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index", source])
    expect("pip install", done.returncode == 0, done.stderr[-1000:])
    done = call([os.path.join(place, "bin", "stz-post"), "--help"], cwd=folder)
    expect("stz-post --help", done.returncode == 0 and "relaxation" in done.stdout, done.stderr)
    done = call([python, "-m", "stzpost", "--help"], cwd=folder)
    expect("python3 -m stzpost", done.returncode == 0 and "relaxation" in done.stdout, done.stderr)
    done = call([python, "-c", "import stzpost, os; print(stzpost.__file__, os.path.exists(stzpost.STYLE))"], cwd=folder)
    expect("the installed one", done.stdout.startswith(place) and done.stdout.endswith("True\n"), done.stdout)
    done = call([python, "-c", ABOUT], cwd=folder)
    with open(os.path.join(SOURCE, "LICENSE"), encoding="utf-8") as file:
        expect("licence, author and description", done.stdout == f"stzkmc developers\nTrue\n{file.read()}", done.stdout[:400])
    done = call([python, "-c", "import xarray; print('stzkmc' in xarray.backends.list_engines())"], cwd=folder)
    expect("engine of xarray", done.stdout == "True\n", done.stdout + done.stderr)

    # The program as installed: it finds its models beside itself.
    for name, made in ((PROGRAM, "bin/stzkmc"), (os.path.join(SOURCE, "models"), "share/stzkmc/models")):
        os.makedirs(os.path.dirname(os.path.join(folder, "prefix", made)), exist_ok=True)
        call(["cp", "-r", name, os.path.join(folder, "prefix", made)])
    # A kernel is started by name: the environment's own, which is found first through JUPYTER_PATH.
    call([python, "-m", "ipykernel", "install", "--prefix", place, "--name", "python3"])
    env = {**os.environ, "PATH": f"{os.path.join(place, 'bin')}:{folder}/prefix/bin:{os.environ['PATH']}",
           "JUPYTER_PATH": os.path.join(place, "share", "jupyter"), "IPYTHONDIR": os.path.join(folder, "ipython"),
           "JUPYTER_RUNTIME_DIR": os.path.join(folder, "runtime"), "OPENBLAS_NUM_THREADS": "1",
           "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    env.pop("MPLBACKEND", None)  # a notebook shows its pictures itself
    books = sorted(glob.glob(os.path.join(SOURCE, "docs", "tutorials", "*.ipynb")))
    expect("there are notebooks", len(books) >= 1)
    for book in books:
        name, fresh = os.path.basename(book), os.path.join(folder, "executed.ipynb")
        done = call([python, "-c", EXECUTE, book, fresh], cwd=folder, env=env)
        expect(name, done.returncode == 0, done.stdout + done.stderr[-2000:])
        if done.returncode == 0:
            pictures, found = outputs(fresh)
            expect(f"{name}: pictures", pictures == 2, pictures)
            if "--store" in sys.argv:
                call(["cp", fresh, book])
            told = difference(outputs(book)[1], found)
            expect(f"{name}: the stored text is what it prints (test_tutorial.py ... --store)", not told, told)
finish()
