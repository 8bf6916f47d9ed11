# SPDX-License-Identifier: GPL-3.0-or-later
"""The interactive page: what is in it, and what a browser without a network makes of it. Those of `full` need plotly.js
(run/setup --web) and Chromium."""
import json
import re
import shutil
import subprocess

import h5py
import numpy as np
import pytest
import synthetic
import xarray as xr

from stzpost import cli, open_result
from stzpost.errors import StzPostError
from stzpost.page import build, data, sweep_data

CELLS = (16, 16, 16)
EVENTS = 300


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
    field = np.random.default_rng(0).random((72, 8, 40))
    scene = data._scene(xr.Dataset({"field_composition": (("x", "y", "z"), field)}, attrs={"spacing_nm": 1.0}))
    sizes = [len(axis) for axis in scene["axes"]]
    assert sizes == [24, 8, 20] and len(scene["composition"]) == 24 * 8 * 20
    assert abs(scene["composition"][0] - field[:3, 0, :2].mean()) < 1e-3 and scene["axes"][0][:2] == [1.5, 4.5]


@pytest.mark.full
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


def in_browser(folder, name):
    """Attributes of the body once the page has run, without a network."""
    words = ["chromium", "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    words += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile", "--window-size=800,900"]
    words += ["--virtual-time-budget=20000", "--dump-dom", f"file://{folder}/{name}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    found = re.search(r"<body ([^>]*)>", done.stdout)
    assert found, done.stderr[-2000:]
    return found[1].replace("&quot;", '"')


@pytest.mark.full
def test_a_browser_draws_it_without_a_network_and_by_keyboard(run, tmp_path):
    build.write_run(open_result(run), str(tmp_path / "p.html"))
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    (tmp_path / "probe.html").write_text(page.replace("</body>", PROBE), encoding="utf-8")
    seen = in_browser(tmp_path, "probe.html")
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


SWEEP_PROBE = """<script>
const by = (id) => document.getElementById(id);
by("quantity").value = "flow_stress_GPa";
by("quantity").dispatchEvent(new Event("change"));
const line = by("lines").data[0];
document.body.dataset.probe = JSON.stringify({ name: line.name, x: line.x, y: line.y, error: line.error_y.array,
  heat: by("heat").data[0].z, curves: by("curves").data.length });
</script></body>"""


def sweep():
    """Four points of two runs; one run is not done. The stress is flat at T/100 + replica/10 beyond 5 % strain."""
    shape = (2, 2, 2)
    strain = np.broadcast_to(np.linspace(0, 0.12, 61), (*shape, 61))
    temperature, rate = np.array([250.0, 300.0]), np.array([1e-6, 1e-3])
    height = temperature[:, None, None] / 100 + np.arange(2) / 10 + 0 * rate[None, :, None]
    state = np.full(shape, "done", object)
    state[1, 1, 1] = "failed"
    return xr.Dataset(
        {
            "state": (("t", "r", "replica"), state),
            "file": (("t", "r", "replica"), np.full(shape, "runs/x.h5", object)),
            "strain_axial": (("t", "r", "replica", "row"), strain),
            "stress_axial_GPa": (("t", "r", "replica", "row"), height[..., None] * np.minimum(1, strain / 0.05)),
            "plastic_strain_axial": (("t", "r", "replica", "row"), np.maximum(0, strain - 0.05)),
            "localisation": (("t", "r", "replica", "row"), 1 + 0 * strain),
            "segment": (("t", "r", "replica", "row"), 0.0 * strain),
        },
        coords={
            "temperature_K": ("t", temperature, {"units": "K", "key": "protocol[0].temperature_K"}),
            "rate_per_s": ("r", rate, {"units": "1/s", "key": "protocol[0].rate_per_s"}),
            "replica": [0, 1],
        },
        attrs={name: "x" for name in ("design", "program_version", "git", "utc", "command_line", "seed", "source")},
    )


def test_values_of_a_sweep():
    values = sweep_data.collect_sweep(sweep())
    assert values["state"].count("done") == 7 and len(values["curves"]) == 7
    flow = values["quantities"]["flow_stress_GPa"]["values"]
    assert flow == pytest.approx([2.5, 2.6, 2.5, 2.6, 3.0, 3.1, 3.0, None], rel=1e-4)
    assert values["axes"]["temperature_K"]["values"] == [250.0] * 4 + [300.0] * 4
    assert values["axes"]["rate_per_s"]["values"] == [1e-6, 1e-6, 1e-3, 1e-3] * 2
    with pytest.raises(StzPostError, match="no run is done"):
        sweep_data.collect_sweep(sweep().assign(state=sweep()["state"].where(False, "waiting")))


@pytest.mark.full
def test_a_browser_draws_a_sweep(tmp_path):
    build.write_sweep(sweep(), str(tmp_path / "s.html"))
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "7 done, 1 failed" in page
    (tmp_path / "probe.html").write_text(page.replace("</body>", SWEEP_PROBE), encoding="utf-8")
    seen = in_browser(tmp_path, "probe.html")
    assert 'data-drawn="lines heat curves"' in seen and 'data-failed=""' in seen
    told = json.loads(re.search(r'data-probe="(\{.*\})"', seen)[1])
    assert told["name"] == "250" and told["x"] == [1e-6, 1e-3] and told["y"] == pytest.approx([2.55, 2.55], rel=1e-4)
    assert told["error"] == pytest.approx([0.05, 0.05], rel=1e-3) and told["curves"] == 7  # 0.1/sqrt(2)/sqrt(2)
    assert np.array(told["heat"]) == pytest.approx(np.array([[2.55, 2.55], [3.05, 3.0]]), rel=1e-4)
