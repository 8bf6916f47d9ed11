# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration of the barriers against the measured stress at 2 h and rate sensitivity: a design over the parameters, a
quadratic response surface of each observable, and what the measured values leave of the parameters.

Scrambled Sobol points fill the box PARAMETERS. At each, three runs in a box of 24^3 with a seed of its own: a specimen
on chip at 7 %, one that stays at 2.4 GPa, and tension. Observables are fitted by all terms up to second order; the
error of the surface, which contains the scatter from seed to seed, is that of leaving one point out. The stress at 2 h itself
is no smooth function over the box, since a specimen that hardly yields shows its actuator: it is taken as the flow
stress in tension and their mean difference where that is near the target, whose scatter counts as error. The likelihood
takes the measured tolerance and these errors. The upper yield over flow is fitted and predicted as well, but asks for
nothing: the source has no number for it. Surfaces, intervals and posterior are those of `stz-post fit`
(analysis/surface.py, analysis/inference.py); the file names what stays undetermined.
"""
import json
import math
import os
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import chi2, norm, qmc

from ..analysis import activation, relaxation, tension
from ..analysis.estimate import LEVEL
from ..analysis.inference import Inference
from ..analysis.surface import Parameter, surface
from ..errors import StzPostError
from ..io import writing
from ..io.result import open_result
from ..plots import fit as plots, style
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
ORDERS = (2,)  # of the surfaces
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
class Offset:
    """Stress at 2 h less flow stress, of the points of the design near the target."""

    mean: float
    deviation: float
    points: int


@dataclass
class Calibration:
    design: np.ndarray  # points in the unit box
    observed: dict  # observable -> values, NaN where a fit was refused
    offset: Offset
    surfaces: dict
    inference: Inference

    @property
    def names(self):
        return self.inference.names

    def predicted(self):
        """{observable: (mean, standard deviation)} over the posterior."""
        found = {}
        for name, one in self.surfaces.items():
            y = one(self.inference.samples)[:, 0] + (self.offset.mean if name == "flow_GPa" else 0.0)
            found[name] = (float(np.mean(y)), float(np.std(y)))
        return found

    def likelihood_of(self, values):
        """Log likelihood of a set {name: value}, relative to the best."""
        inference = self.inference
        return float(inference.log_likelihood(inference.places(values))[0] - inference.top)


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
    surfaces = {
        name: surface(x, values, ORDERS, f" of {name}") for name, values in observed.items() if name != "stress_GPa"
    }
    near = np.abs(observed["flow_GPa"] - STRESS_GPA) < NEAR_GPA
    differences = (observed["stress_GPa"] - observed["flow_GPa"])[near]
    differences = differences[np.isfinite(differences)]
    if len(differences) < 5:
        raise StzPostError(f"{len(differences)} points of the design flow near {STRESS_GPA} GPa, needs 5")
    offset = Offset(float(differences.mean()), float(differences.std(ddof=1)), len(differences))
    parameters = [Parameter(name, low, high, key=name) for name, ((low, high), _) in PARAMETERS.items()]
    inference = Inference(parameters, lambda places: _log_likelihood(surfaces, offset, places))
    return Calibration(x, observed, offset, surfaces, inference)


def record(found, current):
    """For scripts."""
    inference = found.inference
    return {
        "points": len(found.design),
        "best": inference.values(inference.best),
        "best_log_likelihood": inference.top,
        "intervals_95": {n: list(v) for n, v in inference.intervals().items()},
        "undetermined": inference.undetermined(),
        "deviation_with_the_others_held": inference.alone(),
        "correlation": {
            n: dict(zip(found.names, row)) for n, row in zip(found.names, inference.correlation().tolist())
        },
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
    labels = {name: label for name, (_, label) in PARAMETERS.items()}
    style.save(plots.profiles(found.inference, current, labels), os.path.join(directory, "calibration.png"))


def _log_likelihood(surfaces, offset, x):
    def error(name, tolerance):
        return math.hypot(tolerance, surfaces[name].error)

    stress = surfaces["flow_GPa"](x)[:, 0] + offset.mean
    total = -0.5 * ((stress - STRESS_GPA) / math.hypot(error("flow_GPa", STRESS_TOLERANCE), offset.deviation)) ** 2
    total -= 0.5 * ((surfaces["slope_GPa"](x)[:, 0] - SLOPE_GPA) / error("slope_GPa", SLOPE_TOLERANCE)) ** 2
    total += norm.logcdf((LOSS_GPA - surfaces["loss_GPa"](x)[:, 0]) / error("loss_GPa", LOSS_EDGE))
    return total
