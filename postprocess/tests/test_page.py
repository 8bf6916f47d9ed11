# SPDX-License-Identifier: GPL-3.0-or-later
"""The interactive page: what is in it, and what a browser without a network makes of it. Skipped where plotly.js was not
fetched (run/setup --web) or Chromium is not installed."""
import json
import re
import shutil
import subprocess

import h5py
import numpy as np
import pytest
import synthetic

from stzpost import cli, open_result
from stzpost.errors import StzPostError
from stzpost.page import build, data

CELLS = (16, 16, 16)
EVENTS = 300


def have_plotly():
    try:
        return bool(build.plotly())
    except StzPostError:
        return False


needs_plotly = pytest.mark.skipif(not have_plotly(), reason="plotly.js was not fetched (run/setup --web)")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A relaxation with fields, events and two levels of NBED."""
    rng = np.random.default_rng(2)
    levels = []
    for strain in (0.0, 0.08):
        bragg, mask = synthetic.patterns(0.5, rng)
        levels.append(dict(strain=strain, bragg=bragg, mask=mask, expected=0.5))
    wave = np.cos(2 * np.pi * np.arange(16) / 8)
    composition = 0.35 + 0.05 * (wave[:, None, None] + wave[None, :, None] + wave[None, None, :])
    sites = rng.integers(0, 16, (EVENTS, 3), dtype=np.int16)
    share = np.full(EVENTS, 1e-4, np.float32)
    folder = tmp_path_factory.mktemp("page")
    path = synthetic.write(folder / "a <b>.h5", [synthetic.relaxation()], levels, {"composition": composition})
    with h5py.File(path, "r+") as file:
        file["config"].attrs["cells"] = CELLS
        synthetic.dataset(file, "events/time_s", np.linspace(7.1e4, 9e4, EVENTS), "s")
        synthetic.dataset(file, "events/site", sites, "1")
        synthetic.dataset(file, "events/plastic_strain_axial", share, "1")
    return path


def test_values_are_those_of_the_run(run):
    values, _ = data.collect(open_result(run))
    assert set(values) == {"curves", "fit", "bragg", "scene", "map", "scans"}
    frames = np.array(values["map"]["frames"])
    # Each event adds 1e-4 to the mean; smearing and projecting keep the mean. Percent, rounded to three digits.
    np.testing.assert_allclose(frames.mean(axis=(1, 2))[[0, -1]], [0, 100 * EVENTS * 1e-4], rtol=2e-3, atol=1e-12)
    assert (np.diff(frames.mean(axis=(1, 2))) > 0).all() and len(values["map"]["labels"]) == len(frames) == 25
    with h5py.File(run) as file:
        sites, composition = file["events/site"][...], file["microstructure/composition"][...]
        bragg = file["nbed/level_01/bragg"][0]
    scene = values["scene"]
    np.testing.assert_allclose(scene["events"]["y"], synthetic.SPACING * (sites[:, 1] + 0.5), rtol=1e-4)
    np.testing.assert_allclose(scene["composition"], composition.ravel(), rtol=5e-3)
    np.testing.assert_array_equal(np.array(values["scans"][len(values["scans"]) // 2]["bragg"]), bragg.T)


def test_axes_of_the_map(run, tmp_path):
    """One event at a corner is seen there: rows of a frame are z, columns x."""
    path = tmp_path / "one.h5"
    shutil.copy(run, path)
    with h5py.File(path, "r+") as file:
        file["events/site"][...] = [[3, 9, 12]]
    frame = np.array(data.collect(open_result(path))[0]["map"]["frames"][-1])
    assert np.unravel_index(np.argmax(frame), frame.shape) == (12, 3)


def test_large_fields_are_thinned_by_whole_cells():
    import xarray as xr

    field = np.random.default_rng(0).random((72, 8, 40))
    scene = data._scene(xr.Dataset({"field_composition": (("x", "y", "z"), field)}, attrs={"spacing_nm": 1.0}))
    sizes = [len(axis) for axis in scene["axes"]]
    assert sizes == [24, 8, 20] and len(scene["composition"]) == 24 * 8 * 20
    assert abs(scene["composition"][0] - field[:3, 0, :2].mean()) < 1e-3 and scene["axes"][0][:2] == [1.5, 4.5]


@needs_plotly
def test_the_page_is_whole_and_escapes_names(run, tmp_path):
    assert cli.main(["page", str(run), "-o", str(tmp_path / "p.html")]) == 0
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    own = page.replace(build.plotly(), "")
    assert not re.search(r'(?:src|href)=|url\(|@import|https?://', own)
    assert "default-src 'none'" in own and "a &lt;b&gt;.h5" in own and "<b>.h5" not in own
    for text in ("0123456789abcdef", "Resolved input", "V, M = √3 (fit)", "seed = 1L"):
        assert text in own
    json.loads(re.search(r'id="data">(.*?)</script>', own, re.S)[1].replace("<\\/", "</"))


PROBE = """<script>
const tell = {};
const slide = (id, value, kind) => { by(id).value = value; by(id).dispatchEvent(new Event(kind)); };
const by = (id) => document.getElementById(id);
slide("time", 0, "input");
tell.map = by("map").data[0].z.flat().reduce((a, b) => a + b, 0);
tell.time = by("time").getAttribute("aria-valuetext");
slide("scan", 8, "change");
tell.bragg = by("scan-bragg").data[0].z.flat().reduce((a, b) => a + b, 0);
slide("iso", 0.42, "change");
tell.iso = by("scene").data[0].isomin;
by("show-events").click();
tell.events = by("scene").data[1].visible;
tell.eye = by("scene").layout.scene.camera.eye.x;
document.querySelector("[data-turn]").click();
tell.turned = by("scene").layout.scene.camera.eye.x;
const controls = [...document.querySelectorAll("input, select, button, summary")];
tell.keyboard = controls.filter((one) => one.tabIndex < 0).length;
tell.unnamed = controls.filter((one) => one.matches("input, select") && !one.labels.length).length;
tell.plots = [...document.querySelectorAll(".plot")].filter((one) => !one.getAttribute("aria-label")).length;
tell.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.body.dataset.probe = JSON.stringify(tell);
</script></body>"""


@needs_plotly
@pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
def test_a_browser_draws_it_without_a_network_and_by_keyboard(run, tmp_path):
    build.write_run(open_result(run), str(tmp_path / "p.html"))
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    (tmp_path / "probe.html").write_text(page.replace("</body>", PROBE), encoding="utf-8")
    words = [BROWSER, "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    words += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}/profile", "--window-size=800,900"]
    words += ["--virtual-time-budget=20000", "--dump-dom", f"file://{tmp_path}/probe.html"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    found = re.search(r"<body ([^>]*)>", done.stdout)
    assert found, done.stderr[-2000:]
    seen = found[1].replace("&quot;", '"')
    drawn = re.search(r'data-drawn="([^"]*)"', seen)[1].split()
    assert drawn == "stress-strain stress-time rate bragg scene map scan-bragg scan-density".split()
    assert 'data-failed=""' in seen
    told = json.loads(re.search(r'data-probe="(\{.*\})"', seen)[1])
    values, _ = data.collect(open_result(run))
    assert told["map"] == 0 and told["time"].startswith("0 s")
    assert told["bragg"] == np.sum(values["scans"][8]["bragg"]) and told["iso"] == 0.42
    assert told["events"] is False and told["eye"] != told["turned"]
    assert told["keyboard"] == told["unnamed"] == told["plots"] == 0 and told["wide"] <= 0


def test_without_plotly_one_is_told_what_to_do(run, tmp_path, monkeypatch, capsys):
    def missing(name):
        raise FileNotFoundError(name) if name.endswith("min.js") else AssertionError(name)

    monkeypatch.setattr(build, "_text", lambda name: missing(name) if name.endswith("min.js") else "")
    assert cli.main(["page", str(run), "-o", str(tmp_path / "p.html")]) == 2
    assert "run/setup --web" in capsys.readouterr().err and not list(tmp_path.iterdir())
