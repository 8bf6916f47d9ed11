# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, a quota, a rename that fails: one line, exit code 2, and under the final name what was there."""
import errno
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import synthetic

import stzpost
from stzpost.errors import StzPostError
from stzpost.io import formats, writing
from stzpost.plots import style

FEW = 600  # bytes: less than any of the files takes
NOISE = np.random.default_rng(3).random((32, 32, 32))


def picture(path):
    figure, axes = style.new(80, 60)
    axes.plot(NOISE[0, 0])
    style.save(figure, path)


WRITERS = {
    "text.json": lambda path: _text(path),
    "data.bin": lambda path: writing.data(path, NOISE.tobytes()),
    "table.csv": lambda path: formats.write_csv(path, {"a": NOISE[0, 0], "b": NOISE[0, 1]}),
    "plain.h5": lambda path: formats.write_hdf5(path, {"fields": {"a": (NOISE, "1")}}),
    "image.vtkhdf": lambda path: formats.write_vtkhdf(path, {"a": (NOISE, "1")}, 0.5),
    "signal.hspy": lambda path: formats.write_hspy(path, "t", NOISE[0], [formats.Axis("x", "nm", 1)] * 2, {}),
    "signal.emd": lambda path: formats.write_emd(path, "t", NOISE[0], [formats.Axis("x", "nm", 1)] * 2, {}),
    "figure.png": picture,
    "figure.svg": picture,
    "figure.pdf": picture,
}


def _text(path):
    with writing.text(path) as file:
        file.write("word\n" * 1000)


def expect_old(folder, name):
    """Nothing but the file that was there, as it was."""
    assert os.listdir(folder) == [name]
    assert (folder / name).read_text() == "old"


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_call_that_fails(name, call, tmp_path, monkeypatch):
    (tmp_path / name).write_text("old")

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StzPostError) as caught:
        WRITERS[name](str(tmp_path / name))
    assert str(caught.value) == f"{tmp_path / name}: No space left on device"
    expect_old(tmp_path, name)


@pytest.mark.parametrize("bytes_free", [0, FEW])
@pytest.mark.parametrize("name", WRITERS)
def test_no_room(name, bytes_free, tmp_path):
    """In a process of its own, as libhdf5 keeps a file that it could not close."""
    (tmp_path / name).write_text("old")
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_free, bytes_free))
        code = 1
        try:
            WRITERS[name](str(tmp_path / name))
        except StzPostError as error:
            code = 0 if "\n" not in str(error) and str(tmp_path / name) in str(error) else 3
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    expect_old(tmp_path, name)


def test_a_command(tmp_path):
    """The whole command: its exit code, its one line, and no crash as the process ends."""
    result = synthetic.write(tmp_path / "r.h5", [synthetic.tension()], [])
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.pdf").write_text("old")
    program = f"import resource, sys; sys.path.insert(0, {os.path.dirname(os.path.dirname(stzpost.__file__))!r})\n" \
        "import matplotlib.pyplot\nfrom stzpost.cli import main as cli\n" \
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({FEW}, {FEW}))\nsys.exit(cli.main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", program, "stress-strain", result, "-o", folder / "a.pdf"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and done.stderr == f"stz-post: {folder}/a.pdf: File too large\n", done.stderr
    expect_old(folder, "a.pdf")
