# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a sample flows along one axis: events and remaining order of its layers, of films against depth, and in the
phases of a layered glass."""
import math
from dataclasses import dataclass

import numpy as np

from ..errors import NoData
from . import nbed

POINTS = 4  # per edge of a voxel, where a sphere about an event is resolved
FINE = 24  # voxels from the surface down to which each layer is told by itself
PHASES = {"rich": "in Ni-rich glass", "poor": "in Zr-rich glass", "interface": "beside an interface"}


@dataclass
class Layers:
    """Along one axis of a sample, a number per layer of voxels."""

    spacing_nm: float
    activity: np.ndarray  # events over those of a layer of the same flow everywhere
    order: np.ndarray  # share of clusters that are expected to have their order

    def by_depth(self):
        """(depth of the middle, nm; activity; order; voxels' share of the film) of pairs of layers equally deep below the
        two surfaces: each down to FINE voxels, the rest as one."""
        half = len(self.activity) // 2
        pairs = [0.5 * (values[:half] + values[::-1][:half]) for values in (self.activity, self.order)]
        first = np.arange(min(half, FINE + 1))
        size = np.diff([*first, half])
        activity, order = (np.add.reduceat(values, first) / size for values in pairs)
        return self.spacing_nm * (first + 0.5 * size), activity, order, size / half


def layers(result, axis=2, until_strain=math.inf):
    """The layers normal to an axis. Order is that after the events up to a strain in the first segment, or of all."""
    events = _events(result)
    others = tuple(i for i in range(3) if i != axis)
    counts = _field(result, events, slice(None)).sum(axis=others)
    order = _order(result, events, until_strain).mean(axis=others)
    return Layers(float(result.setting("spacing_nm")), counts / counts.mean(), order)


@dataclass
class Phase:
    """Numbers of the sites of one phase, and of the patterns that a probe through it gives."""

    activity: float  # events over those of the same flow everywhere
    order: float  # share of clusters that are expected to have their order
    bragg: float  # expected fraction of patterns with Bragg reflections; NaN without scans or where the mask is empty


def phases(result, strain):
    """{name of PHASES: Phase} after the events up to a strain. Sites are of the Ni-rich phase where there is more Ni than
    on average, and beside an interface where a neighbour is of the other phase; patterns by the mask in the same way."""
    rich = result.field("composition").values
    rich = rich > rich.mean()
    if rich.all() or not rich.any():
        raise NoData(f"{result.path}: has one phase alone")
    events = _events(result)
    counts, order = _field(result, events, _before(result, events, strain)), _order(result, events, strain)
    if not counts.any():
        raise NoData(f"{result.path}: no events up to {100 * strain:g} % strain")
    bragg = _patterns(nbed.nearest(result.levels, strain) if result.levels else None)
    beside = _beside(rich, "wrap", "edge" if result.film else "wrap")
    return {
        name: Phase(counts[sites].mean() / counts.mean(), order[sites].mean(), bragg[name])
        for name, sites in zip(PHASES, (rich, ~rich, beside))
    }


def _patterns(level):
    """Expected fraction of the patterns of each phase by the mask of the projected density."""
    found = dict.fromkeys(PHASES, math.nan)
    if level is not None:
        mask, chance = level.data["mask"].astype(bool), level.data["probability"]
        beside = np.array([_beside(scan, "edge", "edge") for scan in mask])
        found |= {name: float(chance[where].mean()) for name, where in zip(PHASES, (mask, ~mask, beside)) if where.any()}
    return found


def _beside(rich, inner, last):
    """Where a neighbour along an axis is of the other phase; how the last axis ends, and how the others."""
    found = np.zeros(rich.shape, dtype=bool)
    for axis in range(rich.ndim):
        width = [(1, 1) if i == axis else (0, 0) for i in range(rich.ndim)]
        wide = np.pad(rich, width, mode=last if axis == rich.ndim - 1 else inner)
        for first in (0, 2):
            found |= rich != np.take(wide, np.arange(first, first + rich.shape[axis]), axis=axis)
    return found


def _events(result):
    if "/events" not in result.tables():
        raise NoData(f"{result.path}: no events; set output.events=true")
    events = result.table("/events")
    if not events.sizes["event"]:
        raise NoData(f"{result.path}: no events")
    return events


def _field(result, events, chosen):
    """Number of the chosen events at each site."""
    cells = [int(n) for n in np.atleast_1d(result.setting("cells"))]
    site = events["site"].values[chosen].astype(int)
    return np.bincount(np.ravel_multi_index(site.T, cells), minlength=math.prod(cells)).reshape(cells)


def _order(result, events, strain):
    counts = _field(result, events, _before(result, events, strain))
    return remaining(counts, _reach(result), float(result.resolved("order.loss")), result.film)


def _before(result, events, strain):
    """Events up to the first time at which the run reaches a strain."""
    history = result.history
    beyond = np.flatnonzero(history["strain_axial"].values > strain)
    if not beyond.size:
        return slice(None)
    return events["time_s"].values <= history["time_s"].values[beyond[0]]


def _reach(result):
    """Radius of the sphere in which an event may take the order of clusters, in voxels."""
    return (0.75 * float(result.setting("volume_nm3")) / math.pi) ** (1 / 3) / float(result.setting("spacing_nm"))


def remaining(counts, reach, loss, folded=False):
    """Mean over each voxel of (1 - loss)^n, n the events whose sphere of the radius `reach` (voxels) covers a point; the
    box is periodic, or `folded` at the surfaces normal to the last axis, as docs/theory.md §4 says of films."""
    width = math.ceil(reach)
    edge = "symmetric" if folded else "wrap"
    wide = np.pad(counts.astype(np.float32), [(width, width)] * 2 + [(0, 0)], mode="wrap")
    wide = np.pad(wide, [(0, 0)] * 2 + [(width, width)], mode=edge)
    places = (np.arange(POINTS) + 0.5) / POINTS - 0.5
    offsets = np.stack(np.meshgrid(*[np.arange(-width, width + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    total = np.zeros(counts.shape)
    for place in np.stack(np.meshgrid(places, places, places, indexing="ij"), axis=-1).reshape(-1, 3):
        covering = np.zeros(counts.shape, dtype=np.float32)
        for offset in offsets[np.linalg.norm(offsets - place, axis=1) <= reach]:
            begin = offset + width
            covering += wide[tuple(slice(b, b + n) for b, n in zip(begin, counts.shape))]
        total += (1 - loss) ** covering
    return total / POINTS**3
