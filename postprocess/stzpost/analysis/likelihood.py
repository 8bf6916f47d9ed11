# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussian likelihood of readings, of which response surfaces say the mean.

    y = W f(x) + sum b g + r + e,   e ~ N(0, error^2),   b ~ N(0, deviation^2),   f ~ N(surface(x), its covariance)

W takes the observables of a surface to the readings. The nuisances b (an offset, a scale, a machine's stiffness) enter
linearly and are integrated out; that gives the same intervals as the profile over them. Readings of one surface share
its error, so that many files do not make a poor surface good. r is the roughness of a run between the nodes of its surface.
"""
from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from .surface import terms

PRIOR = 12.0  # information of an even prior over [0, 1], as of a normal one of its variance


@dataclass
class Nuisance:
    name: str
    unit: str
    direction: np.ndarray  # change of the readings by one unit
    deviation: float  # of its prior


@dataclass
class Reading:
    """What one file says of the observables of one surface."""

    file: str
    kind: str  # of the surface
    y: np.ndarray
    error: np.ndarray
    weights: np.ndarray  # reading, observable
    held: dict = field(default_factory=dict)  # number of a coordinate of the design -> its place, for this file
    nuisances: list = field(default_factory=list)
    x: np.ndarray = None  # where on the curve: ln t or strain
    rough: tuple = (0.0, 1.0)  # variance of r, and the distance in x over which it is lost


class Gaussian:
    """`size`: coordinates of the design; `free`: those that are fitted, in the order of the points' columns."""

    def __init__(self, readings, surfaces, size, free, held=None):
        self.readings, self.surfaces, self.size, self.free, self.held = readings, surfaces, size, free, held or {}
        self.y = np.concatenate([one.y for one in readings])
        self.lower = cholesky(self._covariance(), lower=True)
        maps = []
        for reading in readings:  # whitened readings are linear in the terms of each file's surface
            rows = np.zeros((len(self.y), surfaces[reading.kind].coefficients.shape[0]))
            rows[self._rows(reading)] = reading.weights @ surfaces[reading.kind].coefficients.T
            maps.append(self._whitened(rows))
        # All that terms can explain lies in the columns' space: fewer numbers than readings.
        space = np.linalg.qr(np.column_stack([*maps, self._whitened(self.y)]))[0]
        self._maps = [space.T @ one for one in maps]
        self._target = space.T @ self._whitened(self.y)

    def log_likelihood(self, x):
        """At points, a row each, up to a constant."""
        missed = self._target - sum(
            self._terms(reading, x) @ one.T for reading, one in zip(self.readings, self._maps)
        )
        return -0.5 * np.sum(missed**2, axis=1)

    def chi2(self, x):
        return -2 * float(self.log_likelihood(np.atleast_2d(x))[0])

    def mean(self, reading, x):
        """Predicted readings of one file, without nuisances."""
        surface = self.surfaces[reading.kind]
        return (self._terms(reading, np.atleast_2d(x)) @ surface.coefficients @ reading.weights.T)[0]

    def nuisances(self, x):
        """[(reading, nuisance, value, deviation)] given the parameters."""
        missed = self.y - np.concatenate([self.mean(one, x) for one in self.readings])
        found = []
        for reading in self.readings:
            for one in reading.nuisances:
                g = np.zeros(len(self.y))
                g[self._rows(reading)] = one.direction
                weighted = cho_solve((self.lower, True), g)
                variance = one.deviation**2 - one.deviation**4 * float(g @ weighted)
                found.append((reading, one, one.deviation**2 * float(weighted @ missed), max(variance, 0.0) ** 0.5))
        return found

    def information(self, x, step=1e-4):
        """Of the parameters in the unit box at a point, with that of the prior."""
        x = np.clip(np.asarray(x, float), step, 1 - step)
        rows = []
        for i in range(len(x)):
            apart = step * np.eye(len(x))[i]
            rows.append(
                sum(
                    one @ (self._terms(reading, (x + apart)[None]) - self._terms(reading, (x - apart)[None]))[0]
                    for reading, one in zip(self.readings, self._maps)
                )
                / (2 * step)
            )
        slope = np.array(rows).T
        return slope.T @ slope + PRIOR * np.eye(len(x))

    def changed(self, readings=None, covariance=1.0):
        """The same with other readings, or with the surfaces' errors changed by a factor of their covariance."""
        surfaces = self.surfaces
        if covariance != 1.0:
            surfaces = {kind: copy.copy(one) for kind, one in surfaces.items()}
            for one in surfaces.values():
                one.covariance = covariance * one.covariance
        return Gaussian(readings or self.readings, surfaces, self.size, self.free, self.held)

    def _rows(self, reading):
        begin = 0
        for one in self.readings:
            if one is reading:
                return slice(begin, begin + len(one.y))
            begin += len(one.y)
        raise KeyError(reading.file)

    def _terms(self, reading, x):
        x = np.asarray(x)
        full = np.empty((len(x), self.size))
        full[:, self.free] = x
        for i, place in {**self.held, **reading.held}.items():
            full[:, i] = place
        return terms(full, self.surfaces[reading.kind].order)

    def _covariance(self):
        total = np.diag(np.concatenate([one.error**2 for one in self.readings]))
        for kind in {one.kind for one in self.readings}:
            width = len(self.surfaces[kind].covariance)
            parts = [one.weights if one.kind == kind else np.zeros((len(one.y), width)) for one in self.readings]
            stacked = np.concatenate(parts)
            total += stacked @ self.surfaces[kind].covariance @ stacked.T
            total += self._roughness(kind)
        for one in self.readings:
            rows = self._rows(one)
            for n in one.nuisances:
                total[rows, rows] += n.deviation**2 * np.outer(n.direction, n.direction)
        return total

    def _roughness(self, kind):
        """Covariance of r: it falls linearly with the distance, and is that of one run in all files."""
        own = np.concatenate([np.full(len(one.y), float(one.kind == kind)) for one in self.readings])
        x = np.concatenate([one.x for one in self.readings])
        variance, length = next(one.rough for one in self.readings if one.kind == kind)
        near = np.maximum(0.0, 1.0 - np.abs(x[:, None] - x[None, :]) / length)
        return variance * near * np.outer(own, own)

    def _whitened(self, rows):
        return solve_triangular(self.lower, rows, lower=True)
