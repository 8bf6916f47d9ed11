# SPDX-License-Identifier: GPL-3.0-or-later
import math

import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import fields


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
