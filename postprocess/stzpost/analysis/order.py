# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts of diffraction patterns say about local order: initial fraction and loss, with the correlation between
neighbouring probes; and how much of a difference between domains the projection through the foil leaves.

Ordered clusters seen by the probe are a Poisson process of discs in the plane, radius rho = R + probe/2, K of them over
a point on average: a pattern has Bragg reflections with 1 - exp(-K), and two probes at a distance both show none with
exp(-K (2 - L)), L the share of the disc that both have in common. A scan's count thus scatters more than the binomial
law says, by a factor that K and the geometry fix; it is taken for beta-binomial with this variance.
"""
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln
from scipy.stats import chi2

from ..errors import StzPostError

LEVEL = 0.95
SIDE = 10  # patterns along an edge of a scan


@dataclass(frozen=True)
class Optics:
    """Geometry of the scans, nm."""

    probe_nm: float = 0.4
    cluster_radius_nm: float = 0.5
    foil_nm: float = 15.0

    @property
    def reach(self):
        """Distance from the probe's axis within which a cluster shows."""
        return self.cluster_radius_nm + self.probe_nm / 2


def overlap(distance, radius):
    """Share of a disc that lies in an equal one at a distance."""
    x = np.clip(np.asarray(distance, float) / (2 * radius), 0, 1)
    return (2 / math.pi) * (np.arccos(x) - x * np.sqrt(1 - x * x))


def count_variance(k, optics, spread=0.0, side=SIDE):
    """Variance of a scan's count of patterns with Bragg reflections, for each K. `spread`: standard deviation of ln K
    between scans beyond Poisson's, such as from an uneven distribution of events."""
    k = np.asarray(k, float)[..., None, None]
    i = np.arange(side)
    dx, dy = np.meshgrid(i, i)
    pairs = (side - dx) * (side - dy) * np.where(dx > 0, 2, 1) * np.where(dy > 0, 2, 1)
    shared = overlap(np.hypot(dx, dy) * optics.probe_nm, optics.reach)
    drawn = np.sum(pairs * np.exp(-2 * k) * np.expm1(k * shared), axis=(-2, -1))
    k = k[..., 0, 0]
    return drawn + (side * side * k * np.exp(-k) * spread) ** 2


def random_scatter(fraction, optics=Optics(), side=SIDE):
    """Standard deviation of a scan's fraction that clusters placed at random give where this is the mean."""
    k = -math.log1p(-min(max(float(fraction), 1e-6), 1 - 1e-6))
    return math.sqrt(float(count_variance(k, optics, side=side))) / side**2


def log_likelihood(counts, k, optics, spread=0.0, side=SIDE):
    """Of the scans' counts, for each K: beta-binomial with the mean and variance of the correlated patterns."""
    k = np.asarray(k, float)
    n, p = side * side, -np.expm1(-k)
    excess = count_variance(k, optics, spread, side) / (n * p * (1 - p))
    share = np.clip((excess - 1) / (n - 1), 1e-6, 1 - 1e-6)  # correlation of two patterns, on average
    a, b = (p * (1 / share - 1))[..., None], ((1 - p) * (1 / share - 1))[..., None]
    counts = np.asarray(counts, float)
    choose = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    return np.sum(choose + betaln(counts + a, n - counts + b) - betaln(a, b), axis=-1)


@dataclass
class OrderFit:
    """Initial fraction and loss with profile intervals; `chi2` of the levels' means, with their degrees of freedom."""

    initial: float
    initial_interval: tuple
    loss: float
    loss_interval: tuple
    expected: list  # fraction at each level
    chi2: float
    freedom: int

    @property
    def p(self):
        return float(chi2.sf(self.chi2, self.freedom)) if self.freedom > 0 else math.nan


def fit(counts, events, optics=Optics(), spread=0.0, side=SIDE):
    """Fits the fraction as deposited and the loss d to counts of scans.

    counts: for each level the counts of its scans (0 to side^2); events: for each level n, the events a volume that a
    cluster has seen, so that K = K0 exp(-d n). `effective_events` takes them from a run.
    """
    counts = [np.atleast_1d(np.asarray(c, float)) for c in counts]
    events = np.asarray(events, float)
    if len(counts) < 2 or len(counts) != len(events) or np.ptp(events) == 0:
        raise StzPostError("a fit of initial fraction and loss needs two levels with different numbers of events")
    if any(np.any((c < 0) | (c > side * side)) for c in counts):
        raise StzPostError(f"counts must lie between 0 and {side * side}")

    ln_k = np.linspace(math.log(1e-4), math.log(6.0), 400)
    tables = [log_likelihood(c, np.exp(ln_k), optics, spread, side) for c in counts]
    initial, loss = np.linspace(0.02, 0.99, 486)[:, None], np.linspace(0.0, 1.0, 401)[None, :]
    ln_k0 = np.log(-np.log1p(-initial))
    total = sum(np.interp(ln_k0 - loss * n, ln_k, table) for table, n in zip(tables, events))
    i, j = np.unravel_index(np.argmax(total), total.shape)
    best = (float(initial[i, 0]), float(loss[0, j]))
    limit = 0.5 * chi2.ppf(LEVEL, 1)
    expected = [-math.expm1(math.log1p(-best[0]) * math.exp(-best[1] * n)) for n in events]
    misfit = sum(
        (np.mean(c) / side**2 - p) ** 2 / (count_variance(-math.log1p(-p), optics, spread, side) / side**4 / len(c))
        for c, p in zip(counts, expected)
    )
    return OrderFit(
        initial=best[0],
        initial_interval=_interval(initial[:, 0], total.max() - total.max(axis=1), limit),
        loss=best[1],
        loss_interval=_interval(loss[0], total.max() - total.max(axis=0), limit),
        expected=expected,
        chi2=float(misfit),
        freedom=len(counts) - 2,
    )


def effective_events(result, strains):
    """Events that a cluster has seen on average, at strains of a run: -ln(share with order)/loss. With it
    exp(-d n) is exact at the run's own loss and holds near it, however the events cluster."""
    loss = float(result.resolved("order.loss"))
    history = result.history
    strain, share = history["strain_axial"].values, history["order_mean"].values
    if loss <= 0 or np.max(strain) < max(strains) - 1e-3:
        raise StzPostError(f"{result.path}: needs loss > 0 and strains up to {max(strains):g}")
    rising = np.maximum.accumulate(strain)
    return [max(0.0, -math.log(float(np.interp(s, rising, share))) / loss) for s in strains]


def optics(result):
    """Geometry of the scans of a result."""
    attrs = result.levels[0].attrs
    return Optics(float(attrs["probe_nm"]), float(result.resolved("order.cluster_radius_nm")), float(attrs["foil_nm"]))


@dataclass
class Dilution:
    """How the mask of the projected density sees domains."""

    kept: float  # share of domain contrast that is left between bright and dark patterns
    contrast: float  # bright minus dark, share of Ni-rich glass in the tube that a pattern sees
    smallest_ratio: float  # ratio of the clusters' densities in the domains that would be seen at 3 standard errors
    error: float  # standard error of bright minus dark fraction that this takes


def dilution(result, level, difference_error):
    """Of the scans of one level of a result, from its composition. `difference_error`: standard error of (fraction in
    bright) - (fraction in dark).

    With densities K(1 + c) in one kind of domain and K(1 - c) in the other, bright and dark patterns differ by
    2 c (share of the one kind in bright - in dark) K exp(-K): the smallest c for three errors gives the ratio
    (1 + c)/(1 - c), infinite when even c = 1 would be hidden.
    """
    geometry = optics(result)
    composition = result.field("composition")
    rich = (composition.values > float(np.median(composition.values))).astype(float)
    inside, outside = [], []
    for scan, origin in enumerate(level.data["origin_nm"]):
        share = _tube_share(rich, result, origin, geometry)
        mask = level.data["mask"][scan].astype(bool)
        inside.append(share[mask])
        outside.append(share[~mask])
    contrast = float(np.mean(np.concatenate(inside)) - np.mean(np.concatenate(outside)))
    k = -math.log1p(-float(level.attrs["bragg_expected"]))
    c = 3 * difference_error / (2 * contrast * k * math.exp(-k)) if contrast > 0 and k > 0 else math.inf
    return Dilution(contrast, contrast, (1 + c) / (1 - c) if c < 1 else math.inf, difference_error)


def _tube_share(rich, result, origin, geometry):
    """Mean of a field over the tubes of a scan's patterns: through the foil, within the reach of each axis."""
    spacing = float(result.setting("spacing_nm"))
    beam = "xyz".index(result.resolved("nbed.beam"))
    planes = np.roll(np.moveaxis(rich, beam, -1), 0)
    if beam == 1:
        planes = np.swapaxes(planes, 0, 1)  # patterns run over the axes after the beam in cyclic order
    n = planes.shape[2]
    begin = origin[beam] / spacing
    depth = np.arange(n)
    ends = [begin, begin + geometry.foil_nm / spacing]
    weight = sum(
        np.clip(np.minimum(depth + 1 + turn * n, ends[1]) - np.maximum(depth + turn * n, ends[0]), 0, 1)
        for turn in (0, 1)
    )
    projected = planes @ weight / weight.sum()
    kx, ky = (np.fft.fftfreq(m) * m for m in projected.shape)
    disc = (np.hypot(*np.meshgrid(kx, ky, indexing="ij")) * spacing <= geometry.reach).astype(float)
    smooth = np.fft.ifft2(np.fft.fft2(projected) * np.fft.fft2(disc / disc.sum())).real
    axes = [(beam + 1) % 3, (beam + 2) % 3]
    steps = (np.arange(SIDE) + 0.5) * geometry.probe_nm
    i, j = (
        np.floor((origin[axis] + steps) / spacing).astype(int) % smooth.shape[place] for place, axis in enumerate(axes)
    )
    return smooth[np.ix_(i, j)]


def like_undeformed(scans, undeformed, groups=5, at_least=2):
    """Share of the scans of a strained sample that lie within the range of undeformed ones (not below the lowest of as
    many as `groups`, on average), and the probability that of `groups` scans `at_least` do."""
    undeformed, scans = np.sort(np.asarray(undeformed, float)), np.asarray(scans, float)
    n, m = len(undeformed), groups
    # the lowest of m drawn without replacement is undeformed[r] with a known probability: average over it
    chance = np.array([math.comb(n - r - 1, m - 1) / math.comb(n, m) if n - r - 1 >= m - 1 else 0.0 for r in range(n)])
    share = float(sum(c * np.mean(scans >= low) for c, low in zip(chance, undeformed)))
    some = sum(
        c
        * sum(
            math.comb(m, k) * q**k * (1 - q) ** (m - k)
            for q in [float(np.mean(scans >= low))]
            for k in range(at_least, m + 1)
        )
        for c, low in zip(chance, undeformed)
    )
    return share, float(some)


def _interval(grid, rise, limit):
    """Where a profile stays below the limit; linear between grid points, the grid's ends count as reached."""
    fine = np.linspace(grid[0], grid[-1], 4001)
    inside = fine[np.interp(fine, grid, rise) <= limit]
    return (float(inside[0]), float(inside[-1])) if len(inside) else (math.nan, math.nan)
