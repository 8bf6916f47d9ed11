# SPDX-License-Identifier: GPL-3.0-or-later
"""What a likelihood over the unit box of the parameters leaves of each: profile intervals, and a posterior.

The prior is even over the box. The profile of a parameter is the largest likelihood that any set with this value
reaches; its interval is where the profile lies within chi2/2 of the best. The posterior is sampled by emcee
(Foreman-Mackey et al. 2013), affine-invariant, since parameters are often known in combinations alone.
"""
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from scipy.stats import chi2, qmc

from ..errors import StzPostError
from .estimate import LEVEL

GRID = 31  # places of a profile
DEEP = 12.0  # below the best, from where on a profile is not followed
REFINED = 2  # steps that make an end of an interval exact
LOOK = 4096  # first points of the search
STARTS = 3
STEP = 1e-4  # of gradients
WALKERS, STEPS, MOST = 32, 500, 4000  # of emcee: steps before a look at the autocorrelation, and at most
LENGTHS = 50  # autocorrelation times that a chain must have
FREE = 0.8  # share of the box from which on a parameter is undetermined
DROP = -0.5 * chi2.ppf(LEVEL, 1)


class Inference:
    """`log_likelihood` takes points of the unit box, a row each. Fixed seeds: the same data give the same numbers."""

    def __init__(self, parameters, log_likelihood):
        self.parameters, self._function = list(parameters), log_likelihood
        self._look = qmc.Sobol(len(self.parameters), scramble=True, seed=7).random(LOOK)
        self._found = self.log_likelihood(self._look)
        starts = self._look[np.argsort(-self._found)[:STARTS]]
        self.best, self.top = max((self._climbed(one, []) for one in starts), key=lambda one: one[1])

    def log_likelihood(self, x):
        return np.asarray(self._function(np.atleast_2d(x)), float)

    @property
    def names(self):
        return [one.name for one in self.parameters]

    def values(self, place):
        """{name: value} of a point of the unit box."""
        return {one.name: float(one.value(x)) for one, x in zip(self.parameters, place)}

    def places(self, values):
        """The point of the unit box of a set {name: value}."""
        return np.array([float(one.place(values[one.name])) for one in self.parameters])

    @cached_property
    def profiles(self):
        """Places in the unit box, and for each parameter the log profile likelihood there, 0 at its best."""
        grid = np.linspace(0, 1, GRID)
        rows = np.array([self._profile(i, grid) for i in range(len(self.parameters))])
        return grid, np.minimum(rows - self.top, 0.0)

    @cached_property
    def spans(self):
        """[(low, high)] of each parameter in the unit box; 0 and 1 where the box ends first."""
        grid, rows = self.profiles
        found = []
        for i, row in enumerate(rows):
            below = [(x, y) for x, y in zip(grid, row) if x < self.best[i]][::-1]
            above = [(x, y) for x, y in zip(grid, row) if x > self.best[i]]
            found.append((self._end(i, below, 0.0), self._end(i, above, 1.0)))
        return found

    def intervals(self):
        """{name: (low, high)}."""
        pairs = zip(self.parameters, self.spans)
        return {one.name: (float(one.value(low)), float(one.value(high))) for one, (low, high) in pairs}

    def profile_at(self, name, value):
        """Log profile likelihood of a value, 0 at the best: it lies in the interval where this is above DROP."""
        i = self.names.index(name)
        return min(self._held(i, float(self.parameters[i].place(value)), self.best)[1] - self.top, 0.0)

    def undetermined(self):
        """Parameters whose interval spans more than FREE of the box."""
        return [name for name, (low, high) in zip(self.names, self.spans) if high - low > FREE]

    @cached_property
    def samples(self):
        """Of the posterior, in the unit box."""
        try:
            import emcee
        except ImportError as error:
            raise StzPostError("the posterior needs emcee: apt-get install python3-emcee") from error

        rng = np.random.default_rng(7)
        count = max(WALKERS, 4 * len(self.parameters))
        weight = np.exp(self._found - self._found.max())
        chosen = self._look[rng.choice(LOOK, count, p=weight / weight.sum())]
        begin = np.clip(chosen + 0.01 * rng.standard_normal(chosen.shape), 1e-6, 1 - 1e-6)
        sampler = emcee.EnsembleSampler(count, len(self.parameters), self._log_posterior, vectorize=True)
        sampler.random_state = np.random.RandomState(7).get_state()
        state, length = begin, 0.0
        while sampler.iteration < MOST and sampler.iteration < LENGTHS * max(1.0, length) + STEPS:
            state = sampler.run_mcmc(state, STEPS)
            length = float(np.max(sampler.get_autocorr_time(tol=0)))
        return sampler.get_chain(discard=STEPS // 2, thin=max(1, int(length / 4)), flat=True)

    def moments(self):
        """{name: (mean, standard deviation)} of the posterior, in the parameter's unit."""
        return {
            one.name: (float(np.mean(column)), float(np.std(column)))
            for one, column in ((one, one.value(x)) for one, x in zip(self.parameters, self.samples.T))
        }

    def correlation(self):
        """Of the parameters over the posterior."""
        return np.atleast_2d(np.corrcoef(self.samples.T))

    def alone(self):
        """{name: standard deviation with the others held}, from the posterior, of parameters even in their values."""
        precision = np.linalg.inv(np.atleast_2d(np.cov(self.samples.T)))
        pairs = zip(self.parameters, np.diag(precision))
        return {one.name: (one.high - one.low) / float(np.sqrt(p)) for one, p in pairs}

    def _log_posterior(self, x):
        inside = np.all((x >= 0) & (x <= 1), axis=1)
        return np.where(inside, self.log_likelihood(np.clip(x, 0, 1)), -np.inf)

    def _climbed(self, start, held):
        """(point, log likelihood): the best near a start, some coordinates held."""
        free = [i for i in range(len(start)) if i not in held]

        def cost(part):
            points = np.repeat(start[None], 1 + 2 * len(free), axis=0)
            points[:, free] = part
            for row, i in enumerate(free):
                points[1 + 2 * row, i] += STEP
                points[2 + 2 * row, i] -= STEP
            y = -self.log_likelihood(points)
            return y[0], (y[1::2] - y[2::2]) / (2 * STEP)

        if not free:
            return start, float(self.log_likelihood(start)[0])
        done = minimize(cost, start[free], jac=True, method="L-BFGS-B", bounds=[(0, 1)] * len(free))
        point = start.copy()
        point[free] = np.clip(done.x, 0, 1)
        return point, float(self.log_likelihood(point)[0])

    def _profile(self, i, grid):
        """Log profile likelihood of parameter i from the best outwards, until it is DEEP below."""
        row, middle = np.full(len(grid), -np.inf), int(np.argmin(np.abs(grid - self.best[i])))
        for order in (range(middle, len(grid)), range(middle - 1, -1, -1)):
            start = self.best
            for k in order:
                start, row[k] = self._held(i, grid[k], start)
                if row[k] < self.top - DEEP:
                    break
        return row

    def _held(self, i, place, start):
        """(point, log likelihood): the best set with a parameter held, from a set nearby and from the best of the first
        points beside, unless these are hopeless."""
        near = np.flatnonzero(np.abs(self._look[:, i] - place) < 1.0 / GRID)
        starts = [start]
        if len(near) and (found := self._found[near]).max() > self.top - DEEP:
            starts.append(self._look[near[np.argmax(found)]])
        tried = []
        for one in starts:
            one = one.copy()
            one[i] = place
            tried.append(self._climbed(one, [i]))
        return max(tried, key=lambda one: one[1])

    def _end(self, i, side, edge):
        """Where the profile of parameter i falls below DROP on one side: (place, log profile) from the best outwards;
        the edge where it does not. Between two places it is taken for a parabola, and then followed there."""
        inside, outside = (self.best[i], 0.0), None
        for x, y in side:
            if y < DROP:
                outside = (x, y)
                break
            inside = (x, y)
        if outside is None:
            return edge
        for step in range(REFINED + 1):
            roots = [np.sqrt(-2 * max(min(y, 0.0), -1e6)) for y in (inside[1], outside[1], DROP)]
            at = inside[0] + (outside[0] - inside[0]) * (roots[2] - roots[0]) / (roots[1] - roots[0])
            if step < REFINED:
                y = self._held(i, at, self.best)[1] - self.top
                inside, outside = (inside, (at, y)) if y < DROP else ((at, y), outside)
                if inside[0] == outside[0]:
                    break
        return float(at)
