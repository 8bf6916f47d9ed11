# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on paper: pages, size of the type, and what stands beside the first figure. Needs Chromium."""
import pathlib
import re
import sys

import numpy as np
import pytest
import synthetic

from stzpost import open_result
from stzpost.analysis import registry
from stzpost.pages import report

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "browser"))
from chrome import Chrome  # noqa: E402

MOST_PAGES = 5  # of the two runs of run/demo
LEAST_PT = 7.0
WIDTH, HEIGHT = 703, 1032  # of A4 less margins of 12 mm, in CSS pixels

# Sizes in points of all text that is printed; a picture's type has 8 pt at 300 dots per inch.
SIZES = """(() => {
  const sizes = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let one = walk.nextNode(); one; one = walk.nextNode()) {
    const place = one.parentElement;
    if (!one.textContent.trim() || !place.getClientRects().length || place.closest('sub, sup')) continue;
    sizes.push([parseFloat(getComputedStyle(place).fontSize) * 0.75, one.textContent.trim().slice(0, 40)]);
  }
  for (const one of document.images) {
    if (one.getClientRects().length) sizes.push([8 * one.clientWidth / (one.naturalWidth * 96 / 300), one.alt]);
  }
  return sizes;
})()"""

# Which part of the first figure's height has text beside it, in the right half of the paper.
BESIDE = """(() => {
  const box = document.querySelector('.figures.first').getBoundingClientRect(), rows = new Set();
  for (const one of document.querySelectorAll('h1, h2, p')) {
    const text = document.createRange();
    text.selectNodeContents(one);
    for (const own of text.getClientRects()) {
      if (own.left < box.right) continue;
      for (let y = Math.round(own.top); y < own.bottom; ++y) if (y > box.top && y < box.bottom) rows.add(y);
    }
  }
  return rows.size / box.height;
})()"""


def files(folder):
    """As of run/demo: the film on its actuator with three levels of NBED, and in tension with five."""
    rng = np.random.default_rng(6)
    cube = {name: rng.random((16, 16, 16)) for name in ("composition", "barrier_eV", "plastic_strain_axial")}
    made = []
    for name, segment, strains in (("onchip", synthetic.relaxation(type="actuator"), (0.0, 0.01, 0.05)),
                                   ("tension", synthetic.tension(), (0.0, 0.01, 0.05, 0.08, 0.12))):
        levels = []
        for strain in strains:
            bragg, mask = synthetic.patterns(0.6 - 3 * max(0, strain - 0.05), rng)
            levels.append(dict(strain=strain, bragg=bragg, mask=mask, expected=0.5))
        columns = synthetic.energy(segment)
        made.append(synthetic.write(folder / f"{name}.h5", [segment], levels, cube, columns=columns))
    return [registry.analyse(open_result(path)) for path in made]


@pytest.mark.full
def test_the_report_is_five_pages_of_legible_type(tmp_path):
    path = pathlib.Path(report.write(files(tmp_path), str(tmp_path)))
    with Chrome() as chrome:
        page = chrome.open(f"file://{path}", width=WIDTH, height=HEIGHT)
        page.pdf(tmp_path / "p.pdf")
        page.call("Emulation.setEmulatedMedia", media="print")
        sizes, beside, wider = page.evaluate(SIZES), page.evaluate(BESIDE), page.overflow()
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "p.pdf").read_bytes()))
    assert 2 <= pages <= MOST_PAGES
    assert len(sizes) > 100 and wider <= 0  # what is wider would be shrunk
    small = [one for one in sizes if one[0] < LEAST_PT]
    assert not small, small
    assert beside > 0.5, beside
