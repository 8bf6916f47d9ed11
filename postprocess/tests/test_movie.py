# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies: the frames are there and show the run, with matplotlib and (full) with VTK on a virtual display."""
import errno
import os
import pathlib
import subprocess
import sys

import h5py
import numpy as np
import pytest
import synthetic
from PIL import Image

from stzpost import open_result
from stzpost.analysis import growth
from stzpost.cli import main as cli
from stzpost.io import dataset

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "stz-post"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Events in a corner first, then in the opposite one."""
    rng = np.random.default_rng(5)
    path = synthetic.write(
        tmp_path_factory.mktemp("movie") / "a.h5", [synthetic.tension()], [], {"composition": rng.random((16, 16, 16))}
    )
    with h5py.File(path, "r+") as file:
        file["config"].attrs["cells"] = (16, 16, 16)
        end = file["history/time_s"][-1]
        sites = np.repeat([[2, 8, 3], [13, 8, 12]], 50, axis=0).astype(np.int16)
        synthetic.dataset(file, "events/site", sites, "1")
        synthetic.dataset(file, "events/time_s", np.linspace(0.3 * end, end, 100), "s")
        synthetic.dataset(file, "events/plastic_strain_axial", np.full(100, 1e-4, np.float32), "1")
    return path


def frames(path):
    movie = Image.open(path)
    for index in range(movie.n_frames):
        movie.seek(index)
        yield np.asarray(movie.convert("RGB")).astype(int)


def test_growth_is_where_and_when_the_events_are(run):
    found = growth.growth(open_result(run), dataset.open_run(run), 5)
    assert [one.events.stop for one in found] == [0, 25, 50, 75, 100]
    means = [one.percent.mean() for one in found]
    np.testing.assert_allclose(means, [0, 0.25, 0.5, 0.75, 1.0], rtol=1e-5, atol=1e-12)
    assert np.unravel_index(np.argmax(found[2].percent), (16, 16)) == (2, 3)
    later = found[4].percent - found[2].percent
    assert np.unravel_index(np.argmax(later), (16, 16)) == (13, 12)


def test_plane(run, tmp_path, capsys):
    assert cli.main(["movie", str(run), "-o", str(tmp_path / "a.gif"), "--frames", "4", "--view", "plane"]) == 0
    assert "4 frames, view plane" in capsys.readouterr().out
    shown = list(frames(tmp_path / "a.gif"))
    assert len(shown) == 4 and all(np.abs(a - b).sum() > 1000 for a, b in zip(shown, shown[1:]))
    assert shown[0].shape[1] > 800


def test_a_full_disk(run, tmp_path, capsys, monkeypatch):
    """One line, and under the name what was there."""
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a.gif").write_text("old")
    monkeypatch.setattr(os, "fsync", fail)
    assert cli.main(["movie", str(run), "-o", str(tmp_path / "a.gif"), "--frames", "2", "--view", "plane"]) == 2
    assert capsys.readouterr().err == f"stz-post: {tmp_path}/a.gif: No space left on device\n"
    assert os.listdir(tmp_path) == ["a.gif"] and (tmp_path / "a.gif").read_text() == "old"


@pytest.mark.full
def test_space(run, tmp_path):
    words = ["xvfb-run", "-a", sys.executable, str(SCRIPT), "movie", str(run), "-o", str(tmp_path / "a.gif")]
    done = subprocess.run(words + ["--frames", "3"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "3 frames, view space" in done.stdout, done.stderr
    first, _, last = frames(tmp_path / "a.gif")
    assert first.shape == (720, 960, 3)
    yellow = [((one - [253, 231, 36]) ** 2).sum(-1).min() for one in (first[:, :780], last[:, :780])]
    assert yellow[1] < 8000 < yellow[0]  # the last events have the end of Viridis, and the first frame has none


@pytest.mark.parametrize(
    "words, message",
    [
        (["-o", "a.avi"], "needs a name that ends in .mp4 or .gif"),
        (["-o", "a.gif", "--frames", "1"], "--frames: got 1, needs 2 to 10000"),
        (["-o", "a.gif", "--frames", "99999999999999999999"], "--frames: got 99999999999999999999, needs"),
        (["-o", "a.gif", "--rate", "0"], "--rate: got 0, needs 1 to 1000"),
        (["-o", "a.gif", "--rate", "2147483648"], "--rate: got 2147483648, needs 1 to 1000"),
        (["-o", "a.gif", "--view", "space"], "needs a display"),
        (["-o", "/nowhere/a.gif", "--view", "plane", "--frames", "2"], "/nowhere/a.gif: the folder /nowhere is not there; make it first"),
    ],
)
def test_refusals(run, words, message, capsys, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    assert cli.main(["movie", str(run), *words]) == 2
    assert message in capsys.readouterr().err
