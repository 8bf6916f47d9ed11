#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package as a user installs it: pip into a fresh virtual environment that sees the system's numpy and its like, then
`stz-post --help`, the xarray engine, and the tutorial notebooks, executed there. Needs Debian's python3-pip, python3-venv,
python3-setuptools, python3-wheel, python3-nbclient and python3-ipykernel."""
import glob
import os
import subprocess
import sys
import tempfile

from harness import PROGRAM, SOURCE, expect, finish

EXECUTE = """
import os, sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(book, timeout=120, kernel_name="python3").execute()
kinds = [out.output_type for cell in book.cells if cell.cell_type == "code" for out in cell.outputs]
print("outputs", len(kinds), "pictures", sum("image/png" in out.get("data", {}) for cell in book.cells
      if cell.cell_type == "code" for out in cell.outputs))
"""


def call(words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, **options)


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
        done = call([python, "-c", EXECUTE, book], cwd=folder, env=env)
        expect(os.path.basename(book), done.returncode == 0 and "pictures 2" in done.stdout,
               done.stdout + done.stderr[-2000:])
finish()
