# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's own measurements against runs: residuals, chi2, the runs by agreement.

What a file holds is told by its columns (io/measured.py, docs/measured.md):

    time, stress, error                    relaxation, t from the end of release or the start of relaxation
    time, displacement, error, length      the same read as displacement of a specimen; only its changes count
    volume, error, factor                  activation volumes with their Taylor factor M
    strain, bragg[, patterns]              patterns with Bragg reflections, a line a scan of 100
"""
import math
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import chi2

from ..analysis import nbed, order, relaxation
from ..analysis.activation import log_law, observations
from ..errors import StzPostError
from ..io import measured as reader

# Kind -> columns that tell it, and others that it has, with their names here.
KINDS = {
    "nbed": (("strain", "bragg"), {"patterns": "patterns"}),
    "volume": (("volume", "error", "factor"), {}),
    "relaxation": (("time", "stress"), {"error": "error_GPa"}),
    "displacement": (("time", "displacement"), {"error": "error_um"}),
}
NAMES = {"time": "time_s", "stress": "stress_GPa", "displacement": "displacement_um", "volume": "volume_A3"}


@dataclass
class Measured:
    path: str
    kind: str
    columns: dict  # name -> array
    said: list = field(default_factory=list)  # what was understood


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


def read(path, choice=reader.Choice(), error=None, length_um=None):
    """Reads a measurement; asks for what it lacks. `error` (GPa or µm) stands for a column of errors."""
    return understood(reader.read(path, choice), error, length_um)


def understood(found, error=None, length_um=None):
    """The measurement that the columns of a file are."""
    path = found.path
    kind = next((kind for kind, (needed, _) in KINDS.items() if set(needed) <= set(found.columns)), None)
    if kind is None:
        known = "; ".join(", ".join(needed) for needed, _ in KINDS.values())
        names = ", ".join(found.columns) or "none that is known"
        raise StzPostError(f"{path}: columns {names}: needs one of these sets: {known}")
    needed, optional = KINDS[kind]
    if kind == "displacement":
        length_um = length_um or reader.constant(found, "length") or reader.length_of(found)
        if not length_um:
            raise StzPostError(f"{path}: a displacement needs the specimen's length: --length UM")
    own = tuple(role for role in optional if role in found.columns and (role != "error" or found.error_of in needed))
    reader.clean(found, (*needed, *own), clock="time" in needed)
    columns = {optional.get(role) or NAMES.get(role, role): values for role, values in found.columns.items()}
    if kind == "volume":
        columns["error_A3"] = columns.pop("error")
    said = found.understood()
    if "error" in optional:
        said += _errors(path, columns, optional["error"], NAMES[needed[1]], error)
    if kind == "displacement":
        columns["length_um"] = np.full(found.rows, length_um)
        said.append(f"  length: {length_um:.5g} µm")
    return Measured(str(path), kind, columns, said)


def _errors(path, columns, name, of, error):
    """Sets the errors where the file has none: the user's, else the scatter about the log law, which is said."""
    if error:
        columns[name] = np.full(len(columns[of]), error)
    elif name not in columns:
        sign = -1.0 if of == "displacement_um" else 1.0
        try:
            scatter = log_law(columns["time_s"], sign * columns[of]).detail["error_GPa"]
        except StzPostError as short:
            what = "no column of errors, and too few rows to see their scatter: --error X"
            raise StzPostError(f"{path}: {what}") from short
        columns[name] = np.full(len(columns[of]), scatter)
        return [f"  error: {scatter:.2g} {name.partition('_')[2]}, the scatter about the log law (--error X)"]
    return []


def compare(measured, result):
    """One run against the measurement."""
    c = measured.columns
    if measured.kind == "relaxation":
        stress, _ = observations(result, c["time_s"])
        return _plain(result, stress, c["stress_GPa"], c["error_GPa"], c["time_s"])
    if measured.kind == "displacement":
        _, strain = observations(result, c["time_s"])
        simulated, weight = np.expm1(strain) * c["length_um"], 1 / c["error_um"] ** 2
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
