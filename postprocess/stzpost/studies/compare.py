# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's own measurements against runs: residuals, chi2, the runs by agreement.

A measurement is a CSV file with a head of column names; lines that begin with # are comments. What it holds is told by
its columns (docs/experiment.md):

    time_s, stress_GPa, error_GPa                    relaxation, t from the end of release or the begin of relaxation
    time_s, displacement_um, error_um, length_um     the same read as displacement of a specimen; only its changes count
    volume_A3, error_A3, factor                      activation volumes with their Taylor factor M
    strain, bragg[, patterns]                        patterns with Bragg reflections, a line a scan of 100
"""
import csv
import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from ..analysis import nbed, order, relaxation
from ..analysis.activation import observations
from ..errors import StzPostError

KINDS = {
    "relaxation": ("time_s", "stress_GPa", "error_GPa"),
    "displacement": ("time_s", "displacement_um", "error_um", "length_um"),
    "volume": ("volume_A3", "error_A3", "factor"),
    "nbed": ("strain", "bragg"),
}
OPTIONAL = {"nbed": ("patterns",)}
POSITIVE = ("error_GPa", "error_um", "error_A3", "length_um", "factor", "patterns")


@dataclass
class Measured:
    path: str
    kind: str
    columns: dict  # name -> array


@dataclass
class Comparison:
    """One run against the measurement; residuals are measured less simulated, in units of the error."""

    result: object
    simulated: np.ndarray
    residuals: np.ndarray
    freedom: int
    log_likelihood: float  # up to a constant that all runs share
    x: np.ndarray  # where: time in s, strain, or the number of the value

    @property
    def chi2(self):
        return float(np.sum(self.residuals**2))

    @property
    def p(self):
        """Probability of a chi2 at least so large if the run is true and the errors are."""
        return float(chi2.sf(self.chi2, self.freedom))


def read(path):
    """Reads a measurement; names what it expects when the columns or a number are wrong."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = [(n, line) for n, line in enumerate(file, 1) if line.strip() and not line.lstrip().startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise StzPostError(f"{path}: {getattr(error, 'strerror', None) or 'no text in UTF-8'}") from error
    if len(lines) < 2:
        raise StzPostError(f"{path}: needs a line of column names and one of numbers")
    head = [name.strip() for name in next(csv.reader([lines[0][1]]))]
    kind = next(
        (
            kind
            for kind, needed in KINDS.items()
            if set(needed) <= set(head) <= set(needed) | set(OPTIONAL.get(kind, ()))
        ),
        None,
    )
    if kind is None:
        known = "; ".join(", ".join(names) for names in KINDS.values())
        raise StzPostError(f"{path}:{lines[0][0]}: columns {', '.join(head)} are none of: {known}")
    rows = [_numbers(path, number, line, head) for number, line in lines[1:]]
    columns = {name: np.array(values) for name, values in zip(head, zip(*rows))}
    if kind in ("relaxation", "displacement") and (
        np.any(np.diff(columns["time_s"]) <= 0) or columns["time_s"][0] <= 0
    ):
        raise StzPostError(f"{path}: time_s must be positive and ascend")
    return Measured(str(path), kind, columns)


def compare(measured, result):
    """One run against the measurement."""
    c = measured.columns
    if measured.kind == "relaxation":
        stress, _ = observations(result, c["time_s"])
        return _plain(result, stress, c["stress_GPa"], c["error_GPa"], c["time_s"])
    if measured.kind == "displacement":
        _, strain = observations(result, c["time_s"])
        simulated, weight = strain * c["length_um"], 1 / c["error_um"] ** 2
        offset = np.sum(weight * (c["displacement_um"] - simulated)) / np.sum(weight)
        if len(simulated) < 2:
            raise StzPostError(f"{measured.path}: displacements need two times, since only their changes count")
        return _plain(result, simulated + offset, c["displacement_um"], c["error_um"], c["time_s"], 1)
    if measured.kind == "volume":
        found = relaxation.analyse(result)
        if found.fit.refused:
            raise StzPostError(f"{result.path}: no activation volume: {found.fit.refused}")
        one, error = found.volumes(found.fit)["1"]
        errors = np.hypot(c["error_A3"], c["factor"] * error)
        return _plain(result, one * c["factor"], c["volume_A3"], errors, np.arange(1.0, 1 + len(errors)))
    return _patterns(measured, result)


def ranked(measured, results):
    """Every run against the measurement, the likeliest first."""
    return sorted((compare(measured, one) for one in results), key=lambda one: -one.log_likelihood)


def _numbers(path, number, line, head):
    values = next(csv.reader([line]))
    if len(values) != len(head):
        raise StzPostError(f"{path}:{number}: got {len(values)} values, needs {len(head)}")
    row = []
    for name, text in zip(head, values):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (name in POSITIVE and value <= 0):
            wanted = "a positive number" if name in POSITIVE else "a number"
            raise StzPostError(f"{path}:{number}: {name}: got {text.strip()}, needs {wanted}")
        row.append(value)
    return row


def _plain(result, simulated, measured, error, x, free=0):
    """Independent errors."""
    residuals = (measured - simulated) / error
    likelihood = -0.5 * float(np.sum(residuals**2)) - float(np.sum(np.log(error)))
    return Comparison(result, simulated, residuals, len(x) - free, likelihood, x)


def _patterns(measured, result):
    """Scans against the run's expectation at their strain, with the scatter that clusters give to scans."""
    c = measured.columns
    patterns = c.get("patterns", np.full(len(c["strain"]), 100.0))
    if np.any(patterns != 100):
        raise StzPostError(f"{measured.path}: patterns: needs scans of 100, 10 x 10")
    if np.any((c["bragg"] < 0) | (c["bragg"] > 100)):
        raise StzPostError(f"{measured.path}: bragg: needs counts between 0 and 100")
    levels = nbed.analyse(result)
    optics = order.optics(result)
    simulated, residuals, likelihood = np.zeros(len(patterns)), np.zeros(len(patterns)), 0.0
    for strain in np.unique(c["strain"]):
        level = nbed.nearest(levels, strain)
        if level is None:
            raise StzPostError(f"{result.path}: no NBED level near {100 * strain:g} %")
        here = c["strain"] == strain
        k = -math.log1p(-min(max(level.expected, 1e-4), 0.995))
        simulated[here] = 100 * level.expected
        residuals[here] = (c["bragg"][here] - simulated[here]) / math.sqrt(float(order.count_variance(k, optics)))
        likelihood += float(order.log_likelihood(c["bragg"][here], k, optics))
    return Comparison(result, simulated, residuals, len(patterns), likelihood, c["strain"])
