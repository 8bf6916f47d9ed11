# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of measured values: its numbers are those of its texts, and what others say of a row is what it says."""
import ast
import math
import pathlib
import re

import pytest

from stzpost import units
from stzpost.analysis import relaxation
from stzpost.studies import calibration, measured, targets, verdicts

PACKAGE = pathlib.Path(measured.__file__).parents[1]
DOCS = PACKAGE.parents[1] / "docs"
ORDINARY = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
CLASSES = [measured.INPUT, measured.CALIBRATED, measured.FOLLOWS, measured.PREDICTION, measured.NOT_MODELLED]


def numbers(text):
    """All of a text, powers of ten too."""
    plain = re.sub("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda one: "1e" + one[1].translate(ORDINARY), text)
    return [float(one) for one in re.findall(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?(?:e-?\d+)?", plain)]


def test_rows_and_classes():
    codes = [*(f"T{i}" for i in range(1, 15)), *(f"N{i}" for i in range(1, 7))]
    assert list(dict.fromkeys(row.id for row in measured.ROWS.values())) == codes
    assert {row.cls for row in measured.ROWS.values()} == set(CLASSES)
    assert all(row.id == key.split()[0] for key, row in measured.ROWS.items())
    assert set(verdicts.TESTS) <= set(measured.ROWS)


def test_each_number_stands_in_the_text_of_its_row():
    for row in measured.ROWS.values():
        found = numbers(row.measured + " " + row.remark)
        for name, one in row.values.items():
            given = [x for x in (one.value, one.error, one.low, one.high) if x is not None]
            assert given and one.unit and (one.low is None) == (one.high is None)
            if not one.derived:
                assert set(given) <= set(found), (row.key, name, found)


def test_the_derived_number_follows_from_the_measured_ones():
    derived = [(row.key, name) for row in measured.ROWS.values() for name, one in row.values.items() if one.derived]
    assert derived == [("T6", "decade_drop")]
    expected = math.log(10) * measured.value("T2", "strength") * measured.value("T4", "m")
    assert measured.value("T6", "decade_drop") == pytest.approx(expected, rel=0.005)


def test_the_same_numbers_everywhere():
    """Criteria lie about the measured values; times of observation are those of the row."""
    times = [float(one) * {"h": units.HOUR, "d": units.DAY}[unit]
             for one, unit in re.findall(r"(\d+) (h|d)\b", measured.ROWS["T6"].measured)]
    assert times == list(relaxation.MARKS.values()) and set(targets.RATES) <= set(relaxation.MARKS)
    for (low, high), value in ((verdicts.STRESS_GPA, targets.YIELD_GPA), (verdicts.SENSITIVITY, targets.SENSITIVITY)):
        assert 0.5 * (low + high) == pytest.approx(value)
    assert calibration.STRESS_GPA == targets.YIELD_GPA == 3.25 and calibration.SLOPE_GPA == pytest.approx(0.0975)
    assert targets.VOLUME_TEXT == "100–200 Å³" and targets.RATES_TEXT == "10⁻⁷ and 10⁻⁹ /s"
    assert set(numbers(targets.VOLUME_TEXT)) <= set(numbers(measured.ROWS["T3"].measured))


def test_short_texts_say_no_other_number():
    for row in measured.ROWS.values():
        assert set(numbers(row.short)) <= set(numbers(row.measured)), row


def test_tables_of_the_documents():
    """Lines that have a row's code, quantity, class and what was measured: class and text are those of the list."""
    seen = []
    for page in sorted(DOCS.rglob("*.md")):
        for line in page.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if not line.startswith("| ") or len(cells) != 7 or not re.fullmatch(r"[TN]\d+", cells[0]):
                continue
            rows = [row for row in measured.ROWS.values() if row.id == cells[0] and row.cls == cells[2]]
            rows = [row for row in rows if row.short in (cells[3], f"{cells[1]} {cells[3]}")]
            assert len(rows) == 1, f"{page.name}: {line}"
            seen.append(rows[0].key)
    assert seen == list(measured.ROWS)


def test_constants_are_written_once():
    """The Taylor factor, the temperature of the measurements and the normal quantile have one place each."""
    places = {3.06: [], 295.0: [], 1.96: []}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value in places:
                places[node.value].append(path.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "3.06" in node.value:
                places[3.06].append(path.name)
    assert places == {3.06: ["units.py"], 295.0: ["units.py"], 1.96: ["quantity.py"]}
