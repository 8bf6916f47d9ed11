# SPDX-License-Identifier: GPL-3.0-or-later
"""Response surfaces: observables of runs as polynomials of the parameters, with the error of predicting a new point.

The error is that of leaving each point of the design out, with all its replicas: it holds what the polynomial misses
and the scatter from seed to seed. Observables of one run err together; the covariance is that of a new run about the
surface.
"""
import math
from dataclasses import dataclass

import numpy as np

from ..errors import StzPostError

SPARE = 4  # points that a surface needs beyond its terms


@dataclass(frozen=True)
class Parameter:
    """A parameter of the model and its range in the design; `log`: it is even there in its logarithm."""

    name: str
    low: float
    high: float
    log: bool = False
    key: str = ""
    unit: str = "1"

    def place(self, value):
        """From a value to [0, 1]."""
        value, low, high = (np.log(x) if self.log else np.asarray(x, float) for x in (value, self.low, self.high))
        return (value - low) / (high - low)

    def value(self, place):
        """From [0, 1] to a value."""
        if self.log:
            return self.low * (self.high / self.low) ** np.asarray(place)
        return self.low + (self.high - self.low) * np.asarray(place)


@dataclass
class Surface:
    """Polynomials of several observables over the unit box."""

    order: int
    coefficients: np.ndarray  # term, observable
    covariance: np.ndarray  # of a run within the box about it: observable, observable
    errors: np.ndarray  # root mean square when a point is left out, of each observable
    runs: int
    inverse: np.ndarray  # of the normal matrix of the design

    def __call__(self, x):
        """Observables at points, a row a point."""
        return terms(x, self.order) @ self.coefficients

    @property
    def error(self):
        """Root mean square error over the observables."""
        return math.sqrt(float(np.mean(self.errors**2)))

    def leverage(self, x):
        """Variance of the surface's own uncertainty at points, over that of a run."""
        t = terms(x, self.order)
        return np.einsum("ij,jk,ik->i", t, self.inverse, t)


def terms(x, order):
    """1, x, and for order 2 all products, of x in [-1, 1]."""
    x = 2 * np.atleast_2d(np.asarray(x, float)) - 1
    n = x.shape[1]
    products = [x[:, i] * x[:, j] for i in range(n) for j in range(i, n)] if order == 2 else []
    return np.column_stack([np.ones(len(x)), x, *products])


def surface(x, values, orders=(1, 2), what=""):
    """Least squares over the rows whose observables are all there, of the order that predicts best."""
    values = np.asarray(values, float).reshape(len(x), -1)
    keep = np.all(np.isfinite(values), axis=1)
    found = [one for order in orders if (one := _of_order(np.asarray(x)[keep], values[keep], order))]
    if not found:
        needed = terms(np.zeros((1, np.shape(x)[1])), orders[0]).shape[1] + SPARE
        points = len(np.unique(np.asarray(x)[keep], axis=0))
        raise StzPostError(
            f"a response surface{what} over {np.shape(x)[1]} parameters needs {needed} points in general position, got "
            f"{points}; make more runs, or hold parameters"
        )
    return min(found, key=lambda one: one.error)


def _of_order(x, values, order):
    """None where the points do not determine it. A point with several replicas is left out as a whole."""
    t = terms(x, order)
    _, group = np.unique(np.round(x, 9), axis=0, return_inverse=True)
    if group.max(initial=0) + 1 < t.shape[1] + SPARE or np.linalg.matrix_rank(t, 1e-6 * len(t)) < t.shape[1]:
        return None
    inverse = np.linalg.inv(t.T @ t)
    coefficients = inverse @ t.T @ values
    residuals, left_out = values - t @ coefficients, np.empty_like(values)
    for number in range(group.max() + 1):
        rows = np.flatnonzero(group == number)
        own = np.eye(len(rows)) - t[rows] @ inverse @ t[rows].T
        left_out[rows] = np.linalg.lstsq(own, residuals[rows], rcond=None)[0]
    found = Surface(order, coefficients, residuals.T @ left_out / len(x), np.sqrt(np.mean(left_out**2, axis=0)), len(x),
                    inverse)
    # Points at the edges have the largest errors when left out: product with the residual, and the mean over the box.
    places = np.random.default_rng(1).random((1000, x.shape[1]))
    found.covariance = 0.5 * (found.covariance + found.covariance.T) * (1 + float(np.mean(found.leverage(places))))
    return found
