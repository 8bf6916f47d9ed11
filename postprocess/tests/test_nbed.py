# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import nbed
from stzpost.io.result import Level


def level(fraction, rng, spread=0.0, bragg=None):
    patterns, mask = synthetic.patterns(fraction, rng, spread=spread)
    data = {"bragg": patterns if bragg is None else bragg(mask), "mask": mask}
    return nbed.level_statistics(Level({"strain": 0.05, "bragg_expected": fraction}, data))


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_fraction_lies_within_its_error(spread):
    """400 levels of 8 scans. Two standard errors cover with probability 0.914 (Student, 7 degrees of freedom), whether
    or not scans scatter beyond counting noise; bounds with a false-alarm rate below 1e-3."""
    rng = np.random.default_rng(3)
    found = [level(0.4, rng, spread) for _ in range(400)]
    covered = np.mean([abs(one.fraction - 0.4) < 2 * one.error for one in found])
    assert 0.86 < covered < 0.965


def test_scatter_beyond_counting_noise_is_seen():
    """Independent patterns: p below 5 % in 5 % of 400 levels (bounds at a false-alarm rate below 1e-3). Scans that
    scatter by 0.15 (3 times counting noise): p below 5 % in nearly all."""
    rng = np.random.default_rng(4)
    alarms = np.mean([level(0.5, rng).scatter_p < 0.05 for _ in range(400)])
    assert 0.015 < alarms < 0.095
    assert np.mean([level(0.5, rng, 0.15).scatter_p < 0.05 for _ in range(100)]) > 0.95


def test_difference_between_domains():
    rng = np.random.default_rng(5)

    def planted(mask):
        return (rng.random(mask.shape) < np.where(mask, 0.7, 0.3)).astype(np.uint8)

    one = level(0.5, rng, bragg=planted)
    assert abs(one.domain_difference - 0.4) < 4 * one.domain_error < 0.4
    assert abs(np.mean([level(0.5, rng).domain_difference for _ in range(100)])) < 4 * 0.1 / np.sqrt(800)


def test_levels_of_a_file(tmp_path):
    rng = np.random.default_rng(6)
    bragg, mask = synthetic.patterns(0.6, rng)
    levels = [dict(strain=s, bragg=bragg, mask=mask, expected=0.6) for s in (0.05, 0.0)]
    found = nbed.analyse(open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension()], levels)))
    assert [one.strain for one in found] == [0.0, 0.05]
    assert found[0].fraction == pytest.approx(bragg.mean()) and found[0].expected == 0.6
    assert nbed.nearest(found, 0.0501).strain == 0.05 and nbed.nearest(found, 0.08) is None
    assert not found[0].displaced and nbed.notes(found) == []
    overlapping = synthetic.write(tmp_path / "c.h5", [synthetic.tension()], [levels[0] | {"displaced": 1}])
    assert "overlap" in nbed.notes(nbed.analyse(open_result(overlapping)))[0]
    with pytest.raises(StzPostError, match="no NBED levels"):
        nbed.analyse(open_result(synthetic.write(tmp_path / "b.h5", [synthetic.tension()])))
