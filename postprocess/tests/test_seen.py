# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves that coincide are all seen: a figure is drawn, and the pixels that each of its curves has alone are looked for
in the whole."""
import numpy as np
import pytest
import synthetic
from matplotlib.colors import to_rgb
from matplotlib.patches import StepPatch

from stzpost import open_result
from stzpost.analysis import correlation, distributions, energy, nbed, relaxation, tension
from stzpost.plots import figures, paper, style

LEAST = 0.1  # of a curve's pixels


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)


def alone(figure, curve):
    """The figure with nothing but one curve."""
    all_there = [one for axes in figure.axes for one in (*axes.get_children(), axes)]
    others = [one for one in all_there if one.get_visible() and one not in (curve, curve.axes)]
    for one in others:
        one.set_visible(False)
    drawn = pixels(figure)
    for one in others:
        one.set_visible(True)
    return drawn


def curves(axes):
    lines = [one for one in axes.get_lines() if one.get_transform() == axes.transData and len(one.get_xdata())]
    steps = [one for one in axes.patches if isinstance(one, StepPatch)]
    return [one for one in lines + steps if to_rgb(colour(one)) != to_rgb(style.LIGHT)]


def colour(curve):
    if isinstance(curve, StepPatch):
        return curve.get_edgecolor()
    return curve.get_color() if curve.get_linestyle() != "None" else curve.get_markeredgecolor()


def shares(figure):
    """Of each curve, by its panel and label: which part of it is seen."""
    figure.set_dpi(200)
    figure.canvas.draw()
    figure.set_layout_engine("none")
    whole, found = pixels(figure), {}
    for panel, axes in enumerate(figure.axes):
        for number, curve in enumerate(curves(axes)):
            wanted = 255 * np.array(to_rgb(colour(curve)))
            own = np.abs(alone(figure, curve) - wanted).max(axis=2) < 50
            if own.sum() > 20:
                seen = np.abs(whole - wanted).max(axis=2) < 50
                found[panel, number, str(curve.get_label())] = (own & seen).sum() / own.sum()
    return found


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    """Three results with all that figures show, equal in everything; within each what may coincide does."""
    rng = np.random.default_rng(5)
    levels, tables = [], {}
    values = rng.normal(2.3, 0.1, 999)
    for number, strain in enumerate((0.0, 0.05, 0.08, 0.12)):
        bragg, mask = synthetic.patterns(0.5, rng)
        levels.append(dict(strain=strain, bragg=bragg, mask=mask, expected=0.5))
        tables |= synthetic.correlation(number, strain, lambda d, _: np.exp(-d))
        tables |= synthetic.distributions(number, strain, values, values)
    pulled, folder = synthetic.tension(), tmp_path_factory.mktemp("same")
    columns = synthetic.energy(pulled)
    made = [synthetic.write(folder / f"{name}.h5", [pulled], levels, columns=columns, tables=tables) for name in "abc"]
    relaxed = synthetic.write(folder / "r.h5", [synthetic.relaxation(type="actuator")])
    return [open_result(path) for path in made], open_result(relaxed)


def slow(*names):
    return [pytest.param(name, marks=pytest.mark.full) for name in names]


@pytest.mark.parametrize("name", ["nbed", "stress-strain", *slow("correlation", "distributions", "energy", "relaxation")])
def test_of_one_result(name, same):
    results, relaxed = same
    modules = {"correlation": correlation, "distributions": distributions, "energy": energy, "nbed": nbed,
               "stress-strain": tension, "relaxation": relaxation}
    found = modules[name].analyse(relaxed if name == "relaxation" else results[0])
    seen = shares(getattr(figures, name.replace("-", "_"))(found))
    assert len(seen) >= 3 and min(seen.values()) > LEAST, seen


@pytest.mark.parametrize("name", ["bragg-fraction", *slow("stress-strain", "autocorrelation")])
def test_of_several_results(name, same):
    seen = shares(paper.FIGURES[name](same[0])[0])
    assert len(seen) >= 3 and min(seen.values()) > LEAST, seen


def test_energy_of_cycles_does_not_come_back_over_itself(tmp_path):
    """And what a stress that is set at once has done counts on both sides of the balance."""
    strain = np.concatenate([np.linspace(0.04, 0.06, 20), np.linspace(0.06, -0.06, 80), np.linspace(-0.06, 0.0, 40)])
    segment = {"type": "cyclic", "time_s": np.arange(140.0), "strain": strain, "stress": 50 * strain,
               "rate": np.full(140, 1e-6)}
    columns = synthetic.energy(segment)
    columns["work_MJ_per_m3"] += columns["elastic_energy_MJ_per_m3"][0] - 30 + columns["heat_MJ_per_m3"][0]
    found = energy.analyse(open_result(synthetic.write(tmp_path / "a.h5", [segment], columns=columns)))
    assert found.turns and (np.diff(found.path) >= 0).all() and found.path[-1] == pytest.approx(0.02 + 0.12 + 0.06)
    assert found.elastic[0] == pytest.approx(found.work[0] - found.heat[0]) and found.work[0] > 0
    assert "summed" in figures.energy(found).axes[1].get_xlabel()
    assert not energy.analyse(open_result(synthetic.write(tmp_path / "b.h5", [synthetic.tension()],
                                                          columns=synthetic.energy(synthetic.tension())))).turns
