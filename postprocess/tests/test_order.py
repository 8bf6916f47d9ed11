# SPDX-License-Identifier: GPL-3.0-or-later
"""Likelihood of diffraction counts and dilution by the foil, against drawn discs and planted structures."""
import math

import h5py
import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import order

OPTICS = order.Optics()
EVENTS = [0.0, 0.06, 0.61, 1.41]  # a volume, at 1, 5, 8 and 12 %


def drawn_scan(k, rng, optics=OPTICS, side=10):
    """Count of a scan over discs drawn from the Poisson process itself."""
    reach, step = optics.reach, optics.probe_nm
    width = (side - 1) * step + 2 * reach
    x = rng.uniform(0, width, (rng.poisson(k * width**2 / (math.pi * reach**2)), 2))
    axis = reach + step * np.arange(side)
    near = (axis[:, None, None] - x[:, 0]) ** 2 + (axis[None, :, None] - x[:, 1]) ** 2 <= reach**2
    return int(np.any(near, axis=2).sum())


def k_of(fraction):
    return -math.log1p(-fraction)


@pytest.mark.parametrize("fraction", [0.2, 0.6])
def test_counts_scatter_as_drawn(fraction):
    """1500 drawn scans: mean within four standard errors, variance within 15 % (its error is 3.7 %), and far beyond the
    binomial law."""
    rng = np.random.default_rng(1)
    counts = np.array([drawn_scan(k_of(fraction), rng) for _ in range(1500)])
    variance = order.count_variance(k_of(fraction), OPTICS)
    assert abs(counts.mean() - 100 * fraction) < 4 * math.sqrt(variance / 1500)
    assert counts.var(ddof=1) == pytest.approx(variance, rel=0.15)
    assert variance > 4 * 100 * fraction * (1 - fraction)


def test_scatter_of_the_reference_scan():
    """A fraction of 0.6: the fractions of scans scatter by 0.122 (docs/nbed.md)."""
    assert math.sqrt(order.count_variance(k_of(0.6), OPTICS)) / 100 == pytest.approx(0.122, abs=0.0005)


def test_overlap_of_discs():
    assert order.overlap(0.0, 0.7) == 1 and order.overlap(1.4, 0.7) == pytest.approx(0, abs=1e-12)
    points = np.random.default_rng(2).uniform(-1, 1, (200000, 2))
    points = points[np.hypot(*points.T) < 1]
    assert order.overlap(0.8, 1.0) == pytest.approx(np.mean(np.hypot(points[:, 0] - 0.8, points[:, 1]) < 1), abs=0.005)


def test_intervals_cover_initial_fraction_and_loss():
    """60 data sets of 8 scans at four levels, drawn from discs: the 95 % intervals cover 51 to 60 times each (binomial:
    below by chance 0.6 %); the binomial law's would cover far less, as its scatter is 2.5 times too small."""
    rng = np.random.default_rng(3)
    hits, pulls = np.zeros(2), []
    for _ in range(60):
        levels = [[drawn_scan(k_of(0.6) * math.exp(-0.6 * n), rng) for _ in range(8)] for n in EVENTS]
        one = order.fit(levels, EVENTS)
        hits += [
            one.initial_interval[0] <= 0.6 <= one.initial_interval[1],
            one.loss_interval[0] <= 0.6 <= one.loss_interval[1],
        ]
        pulls.append(one.p)
    assert np.all(hits >= 51)
    assert np.mean(np.array(pulls) < 0.05) < 0.2  # the fit's own test does not cry wolf


def test_fit_sees_what_no_loss_can_explain():
    """A rise with strain: the loss is 0 and the levels' means contradict."""
    one = order.fit([[30] * 8, [30] * 8, [60] * 8, [90] * 8], EVENTS)
    assert one.loss < 0.02 and one.p < 1e-3


def test_fit_refuses_what_it_cannot_use():
    for counts, events in (([[50]], [0.0]), ([[50], [60]], [0.5, 0.5]), ([[50], [101]], [0.0, 1.0])):
        with pytest.raises(StzPostError):
            order.fit(counts, events)


def diluted(tmp_path, field, beam="z", cells=26):
    """A result whose scans' masks come from the same projection as theirs."""
    mask = np.zeros((2, 10, 10), np.uint8)
    mask[:, :5] = 1
    path = synthetic.write(
        tmp_path / "a.h5",
        levels=[dict(strain=0.0, bragg=np.zeros((2, 10, 10), np.uint8), mask=mask, expected=0.6)],
        fields={"composition": field},
    )
    with h5py.File(path, "a") as file:
        group = file["nbed/level_00"]
        group["origin_nm"][...] = np.array([[1.0, 2.0, 3.0]])
        group.attrs.update({"probe_nm": 0.4, "foil_nm": 15.0})
        del file["config/resolved"]
        file["config"]["resolved"] = f'order: {{\n  cluster_radius_nm = 0.5;\n}};\nnbed: {{\n  beam = "{beam}";\n}};'
    result = open_result(path)
    return order.dilution(result, result.levels[0], 0.05)


@pytest.mark.parametrize("beam", "xyz")
def test_layers_along_the_beam_keep_their_contrast(tmp_path, beam):
    """Domains as columns: rich where the mask's axis is below the middle of the scan. Across the beam nothing is kept."""
    field = np.zeros((26, 26, 26))
    axis = {"x": 1, "y": 2, "z": 0}[beam]  # the first axis of the pattern
    middle = {0: 1.0, 1: 2.0, 2: 3.0}[axis] + 2.0
    x = (np.arange(26) + 0.5) * 0.58
    shape = [1, 1, 1]
    shape[axis] = 26
    field += np.where((x < middle) & (x > middle - 7.5), 0.5, 0.2).reshape(shape)
    assert 0.7 < diluted(tmp_path, field, beam).kept < 1.0
    across = np.zeros((26, 26, 26))
    shape = [1, 1, 1]
    shape["xyz".index(beam)] = 26
    across += np.where(np.arange(26) % 4 < 2, 0.5, 0.2).reshape(shape)
    assert abs(diluted(tmp_path, across, beam).kept) < 1e-12


def test_a_strong_dilution_hides_every_ratio(tmp_path):
    rng = np.random.default_rng(4)
    found = diluted(tmp_path, rng.random((26, 26, 26)))
    assert abs(found.kept) < 0.1 and found.smallest_ratio == math.inf


def test_scans_that_look_undeformed():
    """Of 5 scans from the same law as the undeformed ones, each is above the lowest of 5 with 5/6."""
    rng = np.random.default_rng(5)
    share, some = order.like_undeformed(rng.random(4000), rng.random(4000))
    assert share == pytest.approx(5 / 6, abs=0.02)
    assert some == pytest.approx(1 - 6 / math.comb(10, 5), abs=0.01)
    assert order.like_undeformed(np.zeros(10), np.full(10, 0.5)) == (0.0, 0.0)
