# SPDX-License-Identifier: GPL-3.0-or-later
"""A number with its unit and standard error, and tables of them as text and JSON."""
import math
import re
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np
from scipy.stats import norm, t as student

from ..units import time_unit

MOST_PLACES = 6  # behind the point, of a value and its error
NORMAL_95 = 1.96  # standard errors from the mean to either end of a 95 % interval


@dataclass(frozen=True)
class Quantity:
    """`value` is None when it was refused, `error` (one standard error) None when none is known."""

    name: str
    value: Optional[float]
    unit: str = "1"
    error: Optional[float] = None
    digits: int = 3  # significant digits where no error sets them

    def text(self):
        """Value and error, both rounded to the error's two leading digits."""
        return format_value(self.value, self.error, self.digits)

    def shown(self):
        """Value, error and unit for a reader: times in the unit in which one would tell them, U+2212 for minus."""
        scaled, unit = self, "" if self.unit == "1" else self.unit
        if self.unit == "s" and self.value is not None and self.value > 0:
            unit, size = time_unit(self.value)
            scaled = replace(self, value=self.value / size, error=None if self.error is None else self.error / size)
        value, error = scaled.text()
        return minus(value), minus(error), unit

    def record(self):
        return {"name": self.name, "value": finite(self.value), "unit": self.unit, "error": finite(self.error)}


def format_value(value, error=None, digits=3):
    """(value, error) as two strings; an error, if known, has two digits, and the value ends where it does."""
    if value is None:
        return "refused", ""
    if isinstance(value, int):
        return str(value), ""
    if not math.isfinite(value):
        return "–", ""
    if not error or not math.isfinite(error):
        return _number(value, digits), ""
    places = 1 - _magnitude(float(f"{error:.1e}"))  # decimals of the error
    value, error = round(value, places) + 0.0, round(error, places)  # a zero without a sign
    if 1e-4 <= max(abs(value), error) < 1e6 and places <= MOST_PLACES:
        return f"{value:.{max(0, places)}f}", f"{error:.{max(0, places)}f}"
    return _number(value, min(9, places + 1 + _magnitude(value)) if value else 1), _number(error, 2)


def plus_minus(value, error=None, digits=3):
    """`format_value` as one text: value ± error, or the value alone."""
    return " ± ".join(one for one in format_value(value, error, digits) if one)


def minus(text):
    """The text with the one minus sign of pages, figures and tables, U+2212, before numbers."""
    return re.sub(r"(?<![\w-])-(?=\d)|(?<=\de)-(?=\d)", "\u2212", text)


def table(quantities):
    """Aligned text: name, value, ± error, unit."""
    rows = [(q.name, *q.shown()) for q in quantities]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = []
    for name, value, error, unit in rows:
        sign = "±" if error else " "
        lines.append(f"{name:<{widths[0]}}  {value:>{widths[1]}} {sign} {error:<{widths[2]}}  {unit}".rstrip())
    return "\n".join(lines)


def _number(value, digits):
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        places = max(0, digits - 1 - _magnitude(value)) if value else 0
        return f"{value:.{places}f}"
    return f"{value:.{digits - 1}e}"


def _magnitude(value):
    return math.floor(math.log10(abs(value)))


def finite(value):
    """A record for JSON: numbers that are not finite are None, numpy's become Python's; dicts and lists within."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def mean_error(values):
    """Mean and its standard error, NaN for one value."""
    n, mean = len(values), math.fsum(values) / len(values)
    if n < 2:
        return mean, math.nan
    return mean, math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (n - 1) / n)


def jackknife(values):
    """Standard error of a statistic from its values with one seed left out each."""
    n, values = len(values), np.asarray(values, float)
    return float(math.sqrt((n - 1) / n * np.sum((values - values.mean()) ** 2)))


def welch(a, b):
    """Mean of a less that of b, the half width of its 95 % interval, and the one-sided p that a is not smaller than b:
    Welch's test."""
    (ma, ea), (mb, eb) = mean_error(a), mean_error(b)
    error = math.hypot(ea, eb)
    if error == 0:
        return ma - mb, 0.0, float(norm.sf(math.copysign(40, mb - ma)))
    freedom = error**4 / (ea**4 / (len(a) - 1) + eb**4 / (len(b) - 1))
    return ma - mb, float(error * student.ppf(0.975, freedom)), float(student.sf((mb - ma) / error, freedom))
