# SPDX-License-Identifier: GPL-3.0-or-later
import math

import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import fields, growth
from stzpost.io.dataset import open_run
from stzpost.plots import paper


def test_smearing_keeps_the_sum_and_has_the_shapes_width():
    values = np.zeros((32, 32, 32))
    values[16, 16, 16] = 1.0
    spacing, volume = 0.2, 1.7
    smeared = fields.smear(values, spacing, volume)
    assert smeared.sum() == pytest.approx(1)
    offset = spacing * (np.arange(32) - 16)
    variance = float(np.sum(smeared.sum(axis=(1, 2)) * offset**2))
    assert variance == pytest.approx(volume ** (2 / 3) / (4 * math.pi), rel=1e-3)
    peak = spacing**3 / (2 * math.pi * variance) ** 1.5  # Gaussian of unit integral
    assert smeared[16, 16, 16] == pytest.approx(peak, rel=1e-3)


def test_at_a_surface_the_shape_is_folded_back():
    """Against the shape in a taller box, whose part beyond the surface is added to the layers below it, in mirror order."""
    low, high = np.zeros((16, 16, 32)), np.zeros((16, 16, 16))
    low[8, 8, 17], high[8, 8, 1] = 1.0, 1.0  # the surface lies below layer 16 of the taller one
    tall = fields.smear(low, 0.2, 1.7)
    folded = fields.smear(high, 0.2, 1.7, folded=True)
    np.testing.assert_allclose(folded[:, :, :12], (tall[:, :, 16:] + tall[:, :, 15::-1])[:, :, :12], atol=1e-8)
    assert folded.sum() == pytest.approx(1) and np.abs(folded[:, :, 12:]).max() < 1e-6


def test_strain_at_one_surface_of_a_film_is_not_at_the_other(tmp_path):
    """In slices, in maps of its growth and in maps of localisation; in a periodic box it is."""
    strain = np.zeros((16, 16, 16))
    strain[8, :, 0] = 0.1
    kinds = {"composition": np.full(strain.shape, 0.35), "plastic_strain_axial": strain}
    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension()], fields=kinds)
    for film in (False, True):
        result = open_result(synthetic.make_film(path) if film else path)
        cut = next(one.values for one in fields.analyse(result, "y") if one.name == "plastic_strain_axial")
        grown = growth.growth(result, open_run(path), 2)[-1].percent
        _, tables = paper.draw_localisation_map([result])
        local = tables["a"]["plastic_strain_over_mean"].reshape(16, 16)
        for name, values in {"slice": cut, "growth": grown, "localisation": local}.items():
            assert (values[8, 15] < 1e-3 * values[8, 0]) == film, name


@pytest.mark.parametrize("axis, index, value", [("x", 3, 0.3), ("y", 4, 0.4), ("z", 5, 0.5)])
def test_planes_are_cut_where_asked(tmp_path, axis, index, value):
    field = np.zeros((16, 16, 16), np.float32)
    number = "xyz".index(axis)
    np.moveaxis(field, number, 0)[index] = value
    np.moveaxis(field, number, 0)[index, 2, 7] = 1.0
    result = open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension()], fields={"composition": field}))
    (one,) = fields.analyse(result, axis, index)
    assert one.values[2, 7] == 1.0 and np.median(one.values) == pytest.approx(value)
    assert one.axes == tuple(letter for letter in "xyz" if letter != axis)
    assert one.position_nm == pytest.approx(index * synthetic.SPACING)
    with pytest.raises(StzPostError, match="--index: got 16, needs 0 to 15"):
        fields.analyse(result, axis, 16)


def test_missing_fields(tmp_path):
    result = open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension()], complete=0))
    with pytest.raises(StzPostError, match="none of the fields"):
        fields.analyse(result)
    with pytest.raises(StzPostError, match="did not finish"):
        result.field("barrier_eV")
