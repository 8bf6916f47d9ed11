# SPDX-License-Identifier: GPL-3.0-or-later
"""The points of a sweep beside each other: the mean of each number over the replicas with an interval, what it differs by
from the first point, and all of it at equal strength, where one axis moves the strength."""
import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from ..errors import StzPostError
from ..units import number_text
from .estimate import LEVEL
from .quantity import finite, minus, plus_minus


@dataclass
class Point:
    """A point of a sweep: its values of the axes, and of each number a value per replica."""

    parameters: dict
    replicas: dict  # name -> values, NaN where there is none
    seeds: tuple


@dataclass
class Mean:
    """`half`: half the width of the interval of level LEVEL by Student's law; NaN of fewer than two."""

    value: float
    half: float
    count: int


def points(numbers, axes, seeds):
    """The points of a Dataset with numbers per run, in the order of their dimensions; `seeds` is that of the sweep."""
    dims = [dim for dim in seeds.dims if dim != "replica"]
    order = (*dims, "replica")
    values = {name: variable.transpose(*order).values for name, variable in numbers.items()}
    seeds = seeds.transpose(*order).values
    found = []
    for cell in np.ndindex(seeds.shape[:-1]):
        index = dict(zip(dims, cell))
        own = {name: numbers[name].values[index[numbers[name].dims[0]]].item() for name in axes}
        found.append(Point(own, {name: v[cell] for name, v in values.items()}, tuple(seeds[cell].tolist())))
    return found


def mean(values):
    """Mean of the values that are there, with its interval."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Mean(float(values[0]) if len(values) else math.nan, math.nan, len(values))
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return Mean(float(values.mean()), float(student.ppf(0.5 + LEVEL / 2, len(values) - 1)) * error, len(values))


def difference(one, other, name):
    """What a number of a point is more than that of another, seed by seed where both have the same seeds."""
    a, b = one.replicas[name], other.replicas[name]
    if one.seeds == other.seeds:
        return mean(a - b)
    first, second = mean(a), mean(b)
    return Mean(first.value - second.value, math.hypot(first.half, second.half), min(first.count, second.count))


def at_equal(found, name, value, axis):
    """One point for each set of points that differ by `axis` alone: all numbers where the number `name` has a value.
    Each replica has a line of its own through the points of its set, so that the mean over replicas has all the scatter.
    """
    sets = {}
    for one in found:
        sets.setdefault(_others(one, axis), []).append(one)
    return [_at(own, name, value, axis) for own in sets.values()]


def _at(own, name, value, axis):
    strengths = [mean(one.replicas[name]).value for one in own]
    if len(own) < 2 or not min(strengths) <= value <= max(strengths):
        reached = " and ".join(f"{one:.4g}" for one in strengths)
        rest = ", ".join(f"{k} = {v}" for k, v in own[0].parameters.items() if k != axis)
        raise StzPostError(f"--at: {name} = {value:g} lies outside of the points with {rest}: {reached}; widen {axis}")
    if len({one.seeds for one in own}) > 1:
        raise StzPostError('--at: needs a sweep whose points have the same seeds: seeds = "common"')
    levels = np.array([float(one.parameters[axis]) for one in own])
    x = np.array([one.replicas[name] for one in own]) - value
    numbers = {key: np.array([one.replicas[key] for one in own]) for key in own[0].replicas}
    numbers[axis] = np.broadcast_to(levels[:, None], x.shape)
    replicas = {key: np.array([_through(*pair) for pair in zip(x.T, y.T)]) for key, y in numbers.items()}
    parameters = {k: v for k, v in own[0].parameters.items() if k != axis}
    return Point(parameters, replicas, own[0].seeds)


def _through(x, y):
    """Of a line through the points, its value at x = 0."""
    keep = np.isfinite(x) & np.isfinite(y)
    return float(np.polyfit(x[keep], y[keep], 1)[1]) if keep.sum() > 1 and np.ptp(x[keep]) > 0 else math.nan


def references(found, axis=None, value=None):
    """What each point is compared with: the point that has the value of an axis and is else the same, or the first."""
    if axis is None:
        return [found[0]] * len(found)
    plain = {_others(one, axis): one for one in found if one.parameters[axis] == value}
    missing = [one for one in found if _others(one, axis) not in plain]
    if missing:
        rest = ", ".join(f"{name} = {text}" for name, text in _others(missing[0], axis))
        raise StzPostError(f"--against: no point has {axis} = {value:g}" + (f" and {rest}" if rest else ""))
    return [plain[_others(one, axis)] for one in found]


def records(found, names, against):
    """Of each point its parameters, of each number mean, half width and count, and what it is more than at the point of
    `references` that it is compared with."""
    return finite([
        {"parameters": one.parameters,
         "numbers": {name: vars(mean(one.replicas[name])) for name in names},
         "less": {name: vars(difference(one, other, name)) for name in names} if one is not other else {}}
        for one, other in zip(found, against)
    ])


def table(found, names, against, which="the first point"):
    """Text: a row per point, a column per number, or the other way about if there are more numbers than points; below it
    what each point differs by from that of `references`, which `which` names."""
    head = [[*found[0].parameters, *names]]
    turn = list if len(names) <= len(found) else lambda rows: list(zip(*rows))
    rows = [[*_values(one), *(_text(mean(one.replicas[name])) for name in names)] for one in found]
    text = _aligned(turn(head + rows))
    compared = [(one, other) for one, other in zip(found, against) if one is not other]
    rows = [[*_values(one), *(_text(difference(one, other, name)) for name in names)] for one, other in compared]
    if compared:
        same = ", seed by seed" if all(one.seeds == other.seeds for one, other in compared) else ""
        text += f"\n\nless {which}{same}:\n{_aligned(turn(head + rows))}"
    counts = sorted({mean(one.replicas[name]).count for one in found for name in names} - {0, 1})
    if not counts:
        return text + "\n\none run per point: no intervals"
    text += f"\n\n±: 95 % interval of {' to '.join(map(str, sorted({counts[0], counts[-1]})))} replicas"
    return text + ("; of 20 differences one is beyond its own by chance alone" if compared else "")


def _others(one, axis):
    return tuple((name, str(value)) for name, value in one.parameters.items() if name != axis)


def _values(one):
    return [number_text(value) if isinstance(value, (int, float)) else str(value) for value in one.parameters.values()]


def _text(one):
    return minus(plus_minus(*(round(x, 12) + 0.0 for x in (one.value, one.half))))  # equal but for the last digits: equal


def _aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows)
