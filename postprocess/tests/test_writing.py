# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, a quota, a rename that fails: one line, exit code 2, and under the final name what was there."""
import errno
import os
import pathlib
import resource
import subprocess
import sys

import h5py
import numpy as np
import pytest
import synthetic
from test_sweep import directory  # noqa: F401 (a fixture)

import stzpost
from stzpost.cli import main as cli
from stzpost.errors import StzPostError
from stzpost.io import formats, sweep, writing
from stzpost.plots import style

FEW = 600  # bytes: less than any of the files takes
NOISE = np.random.default_rng(3).random((32, 32, 32))


def picture(path):
    figure, axes = style.new(80 * style.MM, 60 * style.MM)
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
    "large.h5": lambda path: _large(path),
    "figure.png": picture,
    "figure.svg": picture,
    "figure.pdf": picture,
}


def _text(path):
    with writing.text(path) as file:
        file.write("word\n" * 1000)


def _large(path):
    with writing.large_hdf5(path) as (file, check):
        for name in "abc":
            file.create_dataset(name, data=NOISE, chunks=(8, 8, 8), compression="gzip")
            check()


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


@pytest.mark.parametrize("there", [True, False])
def test_a_link(there, tmp_path):
    """It is written through, also one that leads to nothing yet."""
    target, link = tmp_path / "disk" / "a.csv", tmp_path / "a.csv"
    target.parent.mkdir()
    link.symlink_to("disk/a.csv")
    if there:
        target.write_text("old")
    formats.write_csv(str(link), {"a": NOISE[0, 0]})
    assert link.is_symlink() and target.read_text().startswith("a\n") and os.listdir(target.parent) == ["a.csv"]


def test_what_is_no_file(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(StzPostError, match="is no file, cannot be replaced"):
        formats.write_csv(str(path), {"a": NOISE[0, 0]})
    assert os.listdir(tmp_path) == ["pipe"]


def test_large_files_are_whole(tmp_path):
    _large(str(tmp_path / "x.h5"))
    with h5py.File(tmp_path / "x.h5") as file:
        assert all(np.array_equal(file[name][()], NOISE) for name in "abc")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_stdout(tmp_path):
    result = synthetic.write(tmp_path / "r.h5", [synthetic.tension()], [])
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([sys.executable, "-m", "stzpost", "stress-strain", result], stdout=full, text=True,
                              stderr=subprocess.PIPE, timeout=300, cwd=os.path.dirname(os.path.dirname(stzpost.__file__)))
    assert done.returncode == 2 and done.stderr == "stz-post: stdout: No space left on device\n", done.stderr


def inputs_of(folder):
    """Commands whose output is, by a slip, what they read, and that file."""
    def result(name):
        return synthetic.write(folder / name, [synthetic.tension()], [])
    (folder / "m.png").write_text("time_s,stress_GPa,error_GPa\n" + "".join(f"{10**k},{4 - k / 9},0.01\n" for k in range(6)))
    np.save(folder / "v.npy", NOISE)
    formats.write_hdf5(str(folder / "v.h5"), {"": {"x": (NOISE, "1")}})
    (folder / "link.h5").symlink_to("v.h5")
    return [("stress-strain", result("a.png"), "a.png"), ("figure stress-strain", result("b.pdf"), "b"),
            ("report", result("report.html"), "."), ("measured", folder / "m.png", "m.png"), ("field", folder / "v.npy", "v.npy"),
            ("field", folder / "v.h5", "link.h5")]


def test_an_output_that_is_an_input(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words, path, output in inputs_of(tmp_path):
        before = pathlib.Path(path).read_bytes()
        assert cli.main([*words.split(), os.path.basename(path), "-o", output]) == 2, words
        assert capsys.readouterr().err.endswith(": is an input itself, needs another output\n")
        assert pathlib.Path(path).read_bytes() == before, words
    assert cli.main(["field", "v.npy", "-o", "new.h5"]) == cli.main(["field", "v.h5", "-o", "new.h5"]) == 0
    assert cli.main(["figure", "stress-strain", "a.png", "-o", "folder/"]) == 2


def test_a_sweep_keeps_its_files(directory, tmp_path):  # noqa: F811
    """Of those that are collected, also through the library and by another name."""
    (tmp_path / "other.h5").hardlink_to(os.path.join(directory, "runs", "000001.h5"))
    for path in os.path.join(directory, "runs", "000000.h5"), os.path.join(directory, "manifest.jsonl"), tmp_path / "other.h5":
        before = pathlib.Path(path).read_bytes()
        with pytest.raises(StzPostError, match="is a file of the sweep itself"):
            sweep.collect(directory, str(path))
        assert pathlib.Path(path).read_bytes() == before
    for _ in range(2):
        sweep.collect(directory, str(tmp_path / "all.h5"))


STREAMS = [  # what a shell says, exit code of a table and of a file that is missing
    (">&-", 2, 2), ("2>&1 | true", 0, 2), pytest.param("<&- >&- 2>&-", 2, 2, marks=pytest.mark.full),
    *(pytest.param(words, 0, 2, marks=pytest.mark.full) for words in ("2>&-", "<&-", "2>/dev/full"))]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("streams, code, missing", STREAMS)
def test_streams(streams, code, missing, tmp_path):
    """Closed, full, or without a reader: never a traceback, and no file opened later is printed into."""
    result = synthetic.write(tmp_path / "r.h5", [synthetic.tension()], [])
    package = os.path.dirname(os.path.dirname(stzpost.__file__))
    for words, expected in (["stress-strain", result], code), (["stress-strain", "none.h5"], missing), (["--help"], code):
        command = f'{{ sleep 0.3; "$@"; echo $? >&3; }} 3> {tmp_path}/code {streams}'
        done = subprocess.run(["sh", "-c", command, "sh", sys.executable, "-m", "stzpost", *words],
                              cwd=package, capture_output=True, text=True, timeout=300)
        assert (tmp_path / "code").read_text() == f"{expected}\n", (words, done.stderr)
        assert len(done.stderr.splitlines()) <= 1 and "Traceback" not in done.stdout, done.stderr


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    result = synthetic.write(tmp_path / "r.h5", [synthetic.tension()], [])
    (tmp_path / "file").write_text("")
    assert cli.main(["report", str(result), "-o", str(tmp_path / "file" / "x")]) == 2
    assert capsys.readouterr().err.startswith(f"stz-post: {tmp_path}/file")
