# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration of the barriers against the measured stress at 2 h and rate sensitivity: a design over the parameters, a
quadratic response surface of each observable, and what the measured values leave of the parameters.

Scrambled Sobol points fill the box PARAMETERS. At each, three runs in a box of 24^3 with a seed of its own: a specimen
on chip at 7 %, one that stays at 2.4 GPa, and tension. Observables are fitted by all terms up to second order; the error
of the surface, which contains the scatter from seed to seed, is that of leaving one point out. The stress at 2 h itself
is no smooth function over the box, since a specimen that hardly yields shows its actuator: it is taken as the flow
stress in tension and their mean difference where that is near the target, whose scatter counts as error. The likelihood
takes the measured tolerance and these errors; the prior is even over the box. The upper yield over flow is fitted and
predicted as well, but asks for nothing: the source has no number for it. The file names what stays undetermined.
"""
import json
import math
import os
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import chi2, norm, qmc

from ..analysis import activation, relaxation, tension
from ..errors import StzPostError
from ..io import writing
from ..io.result import open_result
from ..plots import style
from ..plots.style import BLUE, GREY, LIGHT, MM, PAGE, VERMILLION
from . import runs as plan
from .sweeps import CONSECUTIVE, Axis, Sweep
from .targets import SENSITIVITY, YIELD_GPA

PARAMETERS = {  # key of the input: (low, high), label
    "barriers.mean_eV": ((2.20, 2.50), "mean barrier (eV)"),
    "stz.gamma0": ((0.095, 0.135), "γ0"),
    "barriers.width_eV": ((0.04, 0.18), "width (eV)"),
    "barriers.composition_eV": ((0.05, 0.35), "contrast (eV)"),
    "barriers.interface_eV": ((0.0, 0.20), "interfaces (eV)"),
}
POINTS = 56
SAMPLES = 200_000  # of the posterior
LEVEL = 0.95
BINS = 40
CELLS = "lattice.cells=[24, 24, 24]"
QUICK_POINTS, QUICK_CELLS = 40, "lattice.cells=[16, 16, 16]"  # to try the command: hardly more points than terms
ELASTIC_GPA = 176.0  # actuator of the specimen that stays below yield
# What a set must meet: value and tolerance, or an upper bound with the width of its edge.
STRESS_GPA, STRESS_TOLERANCE = YIELD_GPA, 0.05  # of 3.25 +- 0.1 as two standard deviations
NEAR_GPA = 0.4  # of the target, in which the stress at 2 h is compared with the flow stress
OBSERVED_S = (7200.0, 4.4e6)  # 2 h and 51 d
SETTLED_S = 300.0  # from which the log law is fitted: beyond t0
SLOPE_GPA, SLOPE_TOLERANCE = SENSITIVITY * YIELD_GPA, 0.0049  # m = 0.03 +- 0.003 (two deviations) at 3.25 GPa
LOSS_GPA, LOSS_EDGE = 0.057, 0.01  # of the specimen that should show none, from 2 h to 51 d


@dataclass
class Surface:
    """Quadratic response surface of one observable over the unit box."""

    coefficients: np.ndarray
    error: float  # root mean square when one point is left out
    points: int

    def __call__(self, x):
        return _terms(x) @ self.coefficients


@dataclass
class Offset:
    """Stress at 2 h less flow stress, of the points of the design near the target."""

    mean: float
    deviation: float
    points: int


@dataclass
class Calibration:
    names: list
    design: np.ndarray  # points in the unit box
    observed: dict  # observable -> values, NaN where a fit was refused
    offset: Offset
    surfaces: dict
    samples: np.ndarray  # unit box
    log_likelihood: np.ndarray

    @property
    def best(self):
        return int(np.argmax(self.log_likelihood))

    def intervals(self):
        """{name: (low, high)} by profile likelihood: the best that any sample with this value reaches."""
        centres, profiles = self.profiles()
        limit = -0.5 * chi2.ppf(LEVEL, 1)
        found = {}
        for name, profile in zip(self.names, profiles):
            inside = centres[profile >= limit]
            low, high = PARAMETERS[name][0]
            half = 0.5 / BINS
            found[name] = (low + (high - low) * (inside.min() - half), low + (high - low) * (inside.max() + half))
        return found

    def profiles(self):
        """Centres of the bins in the unit box, and the log profile likelihood of each parameter, 0 at its best."""
        top = self.log_likelihood.max()
        rows = []
        for i in range(len(self.names)):
            index = np.minimum((self.samples[:, i] * BINS).astype(int), BINS - 1)
            row = np.full(BINS, -np.inf)
            np.maximum.at(row, index, self.log_likelihood)
            rows.append(row - top)
        return (np.arange(BINS) + 0.5) / BINS, np.array(rows)

    def weights(self):
        w = np.exp(self.log_likelihood - self.log_likelihood.max())
        return w / w.sum()

    def predicted(self):
        """{observable: (mean, standard deviation)} over the posterior."""
        w = self.weights()
        found = {}
        for name, surface in self.surfaces.items():
            y = surface(self.samples) + (self.offset.mean if name == "flow_GPa" else 0.0)
            mean = float(w @ y)
            found[name] = (mean, math.sqrt(float(w @ (y - mean) ** 2)))
        return found

    def correlation(self):
        """Of the parameters over the posterior."""
        w = self.weights()
        centred = self.samples - w @ self.samples
        covariance = (centred * w[:, None]).T @ centred
        deviation = np.sqrt(np.diag(covariance))
        return covariance / np.outer(deviation, deviation)

    def alone(self):
        """{name: standard deviation with the other parameters held}: what the data say about each by itself."""
        w = self.weights()
        centred = self.samples - w @ self.samples
        precision = np.linalg.inv((centred * w[:, None]).T @ centred)
        return {n: float(np.ptp(PARAMETERS[n][0])) / math.sqrt(precision[i, i]) for i, n in enumerate(self.names)}

    def undetermined(self):
        """Parameters whose interval spans more than 0.8 of the box."""
        spans = {n: (b - a) / (PARAMETERS[n][0][1] - PARAMETERS[n][0][0]) for n, (a, b) in self.intervals().items()}
        return [name for name, span in spans.items() if span > 0.8]

    def likelihood_of(self, values):
        """Log likelihood of a set {name: value}, relative to the best."""
        x = np.array([[(values[n] - PARAMETERS[n][0][0]) / np.ptp(PARAMETERS[n][0]) for n in self.names]])
        return float(_log_likelihood(self.surfaces, self.offset, x)[0] - self.log_likelihood.max())


def design(points=POINTS):
    """Points in the unit box: scrambled Sobol, fixed seed."""
    return qmc.Sobol(len(PARAMETERS), scramble=True, seed=20190716).random(2 ** math.ceil(math.log2(points)))[:points]


def sweeps(points=POINTS, cells=CELLS):
    """Three runs of each point of the design, with the same seed, which no other point has."""
    axes = tuple(
        Axis(name, tuple(float(f"{low + (high - low) * x:.6g}") for x in column), "set")
        for (name, ((low, high), _)), column in zip(PARAMETERS.items(), design(points).T)
    )
    elastic = (
        f"protocol[0].stiffness_GPa={ELASTIC_GPA}",
        f"protocol[0].mismatch_strain={plan.PULL_GPA / ELASTIC_GPA:.6g}",
    )
    common = (cells, "output.nbed_strains=[]")
    return [
        Sweep("onchip", "onchip.cfg", common, axes, CONSECUTIVE),
        Sweep("elastic", "onchip.cfg", (*common, *elastic), axes, CONSECUTIVE),
        Sweep("tension", "tension.cfg", common, axes, CONSECUTIVE),
    ]


def observe(runs, points=POINTS):
    """{observable: values over the design}; NaN where a fit is refused."""
    observed = {
        name: np.full(points, math.nan) for name in ("stress_GPa", "flow_GPa", "slope_GPa", "overshoot", "loss_GPa")
    }
    for run in runs:
        result, number = open_result(run.path), run.number
        if run.series == "onchip":
            observed["stress_GPa"][number] = activation.observations(result, OBSERVED_S)[0][0]
            fit = relaxation.analyse(result, start_s=SETTLED_S).fit
            if not fit.refused:
                observed["slope_GPa"][number] = fit.parameters["s"]
        elif run.series == "elastic":
            first, last = activation.observations(result, OBSERVED_S)[0]
            observed["loss_GPa"][number] = first - last
        else:
            pulled = tension.analyse(result)
            observed["overshoot"][number], observed["flow_GPa"][number] = pulled.overshoot, pulled.flow_GPa
    return observed


def fit(observed, x):
    """The calibration from a design and what was observed at its points."""
    surfaces = {name: surface(x, values) for name, values in observed.items() if name != "stress_GPa"}
    near = np.abs(observed["flow_GPa"] - STRESS_GPA) < NEAR_GPA
    differences = (observed["stress_GPa"] - observed["flow_GPa"])[near]
    differences = differences[np.isfinite(differences)]
    if len(differences) < 5:
        raise StzPostError(f"{len(differences)} points of the design flow near {STRESS_GPA} GPa, needs 5")
    offset = Offset(float(differences.mean()), float(differences.std(ddof=1)), len(differences))
    samples = np.random.default_rng(7).random((SAMPLES, x.shape[1]))
    likelihood = _log_likelihood(surfaces, offset, samples)
    return Calibration(list(PARAMETERS), x, observed, offset, surfaces, samples, likelihood)


def surface(x, values):
    """Least squares of all terms up to second order; the error by leaving each point out (from the hat matrix)."""
    keep = np.isfinite(values)
    terms = _terms(x[keep])
    if terms.shape[0] < terms.shape[1] + 4:
        raise StzPostError(
            f"a response surface of {terms.shape[1]} terms needs {terms.shape[1] + 4} points, got {keep.sum()}"
        )
    coefficients = np.linalg.lstsq(terms, values[keep], rcond=None)[0]
    leverage = np.einsum("ij,ji->i", terms, np.linalg.pinv(terms))
    left_out = (values[keep] - terms @ coefficients) / (1 - leverage)
    return Surface(coefficients, float(np.sqrt(np.mean(left_out**2))), int(keep.sum()))


def record(found, current):
    """For scripts."""
    low = {n: PARAMETERS[n][0][0] for n in found.names}
    span = {n: float(np.ptp(PARAMETERS[n][0])) for n in found.names}
    best = {n: low[n] + span[n] * float(v) for n, v in zip(found.names, found.samples[found.best])}
    return {
        "points": len(found.design),
        "best": best,
        "best_log_likelihood": float(found.log_likelihood.max()),
        "intervals_95": {n: list(v) for n, v in found.intervals().items()},
        "undetermined": found.undetermined(),
        "deviation_with_the_others_held": found.alone(),
        "correlation": {n: dict(zip(found.names, row)) for n, row in zip(found.names, found.correlation().tolist())},
        "predicted": {n: list(v) for n, v in found.predicted().items()},
        "stress_at_2h_less_flow_GPa": asdict(found.offset),
        "surface_error": {n: s.error for n, s in found.surfaces.items()},
        "model": current,
        "model_log_likelihood_below_best": found.likelihood_of(current),
        "model_is_inside": bool(found.likelihood_of(current) >= -0.5 * chi2.ppf(LEVEL, len(found.names))),
    }


def write(found, current, directory):
    """calibration.json and calibration.png."""
    os.makedirs(directory, exist_ok=True)
    with writing.text(os.path.join(directory, "calibration.json")) as file:
        json.dump(record(found, current), file, ensure_ascii=False, indent=1)
    style.save(_figure(found, current), os.path.join(directory, "calibration.png"))


@style.styled
def _figure(found, current):
    """Profile likelihood of each parameter; grey: outside the 95 % interval; the model's value as a line."""
    figure, axes = style.new(PAGE, 55 * MM, ncols=len(found.names), sharey=True)
    centres, profiles = found.profiles()
    for place, name, profile in zip(axes, found.names, profiles):
        (low, high), label = PARAMETERS[name]
        x = low + (high - low) * centres
        place.plot(x, np.maximum(profile, -8), color=BLUE)
        place.axhline(-0.5 * chi2.ppf(LEVEL, 1), color=GREY, ls="--", lw=0.7)
        place.axvline(current[name], color=VERMILLION, lw=0.8)
        place.fill_between(x, -8, 0.3, where=profile < -0.5 * chi2.ppf(LEVEL, 1), color=LIGHT, lw=0)
        place.set(xlabel=label, xlim=(low, high), ylim=(-8, 0.3))
    axes[0].set_ylabel("log profile likelihood")
    return figure


def _terms(x):
    """1, x, and all products, of x in [-1, 1]."""
    x = 2 * np.asarray(x) - 1
    n = x.shape[1]
    products = [x[:, i] * x[:, j] for i in range(n) for j in range(i, n)]
    return np.column_stack([np.ones(len(x)), x, *products])


def _log_likelihood(surfaces, offset, x):
    def error(name, tolerance):
        return math.hypot(tolerance, surfaces[name].error)

    stress = surfaces["flow_GPa"](x) + offset.mean
    total = -0.5 * ((stress - STRESS_GPA) / math.hypot(error("flow_GPa", STRESS_TOLERANCE), offset.deviation)) ** 2
    total -= 0.5 * ((surfaces["slope_GPa"](x) - SLOPE_GPA) / error("slope_GPa", SLOPE_TOLERANCE)) ** 2
    total += norm.logcdf((LOSS_GPA - surfaces["loss_GPa"](x)) / error("loss_GPa", LOSS_EDGE))
    return total
