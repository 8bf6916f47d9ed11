# SPDX-License-Identifier: GPL-3.0-or-later
"""Stress-strain curve of a strain-rate segment: upper yield, flow stress, stiffness, events and localisation."""
import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import trapezoid
from scipy.stats import linregress

from ..errors import NoData
from .quantity import Quantity

TYPE = "strain-rate"  # of the segments that are curves of tension
FLOW = (0.08, 0.12)  # strain over which the flow stress is the mean
BLOCK = 0.005  # strain of a block of the flow stress's standard error: several s/E, the strain that stress remembers
ELASTIC = 0.01  # strain up to which the stiffness is fitted


@dataclass
class Tension:
    segment: object
    temperature_K: float
    rate_per_s: float  # mean total strain rate
    strain: np.ndarray
    stress_GPa: np.ndarray
    plastic: np.ndarray
    events_per_stz: np.ndarray
    localisation: np.ndarray
    peak: tuple  # strain, GPa
    flow_GPa: float  # NaN unless the window was reached
    flow_error_GPa: float
    young_GPa: float
    hardening_GPa: float = math.nan  # d(true stress)/d(logarithmic strain) from FLOW's begin on; NaN if not reached
    hardening_error_GPa: float = math.nan
    force_GPa: tuple = (math.nan, math.nan)  # largest force over the first area: logarithmic strain, GPa

    @property
    def overshoot(self):
        """Upper yield stress over flow stress."""
        return self.peak[1] / self.flow_GPa


def find_segment(result, index=None):
    """The strain-rate segment asked for, else the one that reaches the largest strain."""
    asked = [s for s in result.segments if s.type == TYPE and index in (None, s.index)]
    found = farthest({s.index: result.rows(s)["strain_axial"].values for s in asked})
    if found is None:
        wanted = "" if index is None else f" with index {index}"
        raise NoData(f"{result.path}: no segment of type {TYPE}{wanted} with rows")
    return result.segments[found]


def farthest(strains):
    """Of segments {number: strain of each row}, the number of the one that reaches the largest strain; None where none has
    two rows."""
    reached = {number: float(one.max()) for number, one in strains.items() if len(one) > 1}
    return max(reached, key=reached.get, default=None)


def upper_yield(strain, stress):
    """Row of the largest stress before flow; of all rows, where flow has begun before them."""
    before_flow = np.flatnonzero(strain <= FLOW[0])
    return int(before_flow[np.argmax(stress[before_flow])]) if before_flow.size else int(np.argmax(stress))


def analyse(result, segment=None):
    """The stress-strain curve of one segment."""
    segment = find_segment(result, segment)
    rows = result.rows(segment)
    strain, stress = rows["strain_axial"].values, rows["stress_axial_GPa"].values
    time = result.times(segment)
    top = upper_yield(strain, stress)
    flow, error = flow_stress(strain, stress)
    slope, slope_error = hardening(strain, stress)
    force = result.engineering(segment)["engineering_stress_GPa"].values
    return Tension(
        segment=segment,
        temperature_K=float(rows["temperature_K"].mean()),
        rate_per_s=float((strain[-1] - strain[0]) / (time[-1] - time[0])),
        strain=strain,
        stress_GPa=stress,
        plastic=rows["plastic_strain_axial"].values,
        events_per_stz=rows["events_per_stz"].values,
        localisation=rows["localisation"].values,
        peak=(float(strain[top]), float(stress[top])),
        flow_GPa=flow,
        flow_error_GPa=error,
        young_GPa=_stiffness(strain, stress),
        hardening_GPa=slope,
        hardening_error_GPa=slope_error,
        force_GPa=(float(strain[np.argmax(force)]), float(force.max())),
    )


def flow_stress(strain, stress, window=FLOW):
    """Mean stress over a window of strain and its standard error from the means of blocks; NaN if not reached."""
    if strain[-1] < window[1] - 0.5 * BLOCK or strain[0] > window[0]:
        return math.nan, math.nan
    stop = min(window[1], float(strain[-1]))
    edges = np.linspace(window[0], stop, max(3, round((stop - window[0]) / BLOCK) + 1))
    means = [_mean(strain, stress, a, b) for a, b in zip(edges[:-1], edges[1:])]
    return float(np.mean(means)), float(np.std(means, ddof=1) / math.sqrt(len(means)))


def hardening(strain, stress, begin=FLOW[0], widest=0.2):
    """Slope of true stress over logarithmic strain from `begin` on, with its standard error from means of blocks; NaN
    where less than four blocks are there. Flow at constant force over the first area has the slope sigma (Considère);
    below it, the force falls."""
    last = min(float(strain[-1]), widest)
    count = int((last - begin) / BLOCK + 1e-9)
    if strain[0] > begin or count < 4:
        return math.nan, math.nan
    edges = begin + BLOCK * np.arange(count + 1)
    means = [_mean(strain, stress, a, b) for a, b in zip(edges[:-1], edges[1:])]
    line = linregress(0.5 * (edges[:-1] + edges[1:]), means)
    return float(line.slope), float(line.stderr)


def quantities(tension):
    """What `stz-post stress-strain` prints."""
    return [
        Quantity("temperature", tension.temperature_K, "K", digits=4),
        Quantity("strain rate", tension.rate_per_s, "1/s"),
        Quantity("largest strain", float(tension.strain.max()), "1", digits=4),
        Quantity(f"stiffness below {ELASTIC:.0%} strain", tension.young_GPa, "GPa"),
        Quantity("upper yield stress", tension.peak[1], "GPa"),
        Quantity("strain at upper yield", tension.peak[0], "1"),
        Quantity("flow stress, 8–12 %", tension.flow_GPa, "GPa", tension.flow_error_GPa),
        Quantity("upper yield over flow", tension.overshoot, "1"),
        Quantity("hardening from 8 % on, dσ/dε", tension.hardening_GPa, "GPa", tension.hardening_error_GPa),
        Quantity("largest force over first area", tension.force_GPa[1], "GPa"),
        Quantity("strain at it", tension.force_GPa[0], "1"),
        Quantity("events per STZ volume", float(tension.events_per_stz[-1]), "1"),
        Quantity("localisation", float(tension.localisation[-1]), "1"),
    ]


def notes(tension):
    """What a reader of the table must know."""
    said = [] if math.isfinite(tension.flow_GPa) else ["flow stress: the segment does not cover 8–12 % strain"]
    if not math.isfinite(tension.localisation[-1]):
        said.append("localisation: means nothing where the net plastic strain is near 0, as when it is taken back")
    return said


def _mean(strain, stress, a, b):
    """Mean over strain by trapezoids, the ends interpolated."""
    inside = (strain > a) & (strain < b)
    x = np.concatenate([[a], strain[inside], [b]])
    y = np.concatenate([[np.interp(a, strain, stress)], stress[inside], [np.interp(b, strain, stress)]])
    return float(trapezoid(y, x) / (b - a))


def _stiffness(strain, stress):
    keep = strain - strain[0] <= ELASTIC
    if np.count_nonzero(keep) < 3 or strain[0] > ELASTIC:
        return math.nan
    return float(np.polyfit(strain[keep], stress[keep], 1)[0])
