# SPDX-License-Identifier: GPL-3.0-or-later
"""Relaxation and stress-strain curves as read in a scanning electron microscope.

At each observation the length of the specimen is read off an image:

    u_i = (exp(strain_i) - 1) L + n_i + d_i,    n_i ~ N(0, noise_nm^2),    d_i = d_(i-1) + N(0, drift_nm^2),  d_0 = 0,

so the measured (logarithmic) strain is ln(1 + u_i/L). With the probability `outliers` an image is spoiled and n_i is drawn
with `outlier_factor` times the deviation. On an actuator the stress is not measured but follows from the displacement,
with the actuator's stiffness S and mismatch: the force over the first area is S (mismatch - u_i/L) (1 + c), the true stress
that over the present area; else a load cell gives stress_i = (true + N(0, stress_noise_GPa^2)) (1 + c). The factor 1 + c
with c ~ N(0, section^2), one a measurement, is the error of the cross-section. Of runs whose actuator has small geometry,
u_i = strain_i L + n_i + d_i, strain u_i/L, stress S (mismatch - u_i/L) (1 + c).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis import relaxation, tension
from ..errors import StzPostError
from ..io import measure
from ..io.formats import write_csv, write_hdf5
from .specimen import Field, Specimen, setting


@dataclass(frozen=True)
class Settings:
    measurements: int = setting(8, "1", "measurements of each specimen", 1, 10**4)
    observations: int = setting(14, "1", "readings of each measurement", 2, 10**6)
    first_s: float = setting(600.0, "s", "time of the first reading, from the zero of the segment's clock", 1e-9, 1e15)
    gauge_um: float = setting(100.0, "um", "length of the specimen", 1e-3, 1e6)
    noise_nm: float = setting(20.0, "nm", "standard deviation of one reading of the length", 0.0, 1e6)
    drift_nm: float = setting(5.0, "nm", "standard deviation of the drift's step from one reading to the next", 0.0, 1e6)
    stress_noise_GPa: float = setting(0.02, "GPa", "standard deviation of the load cell (not on an actuator)", 0.0, 10.0)
    section: float = setting(0.01, "1", "standard deviation of the relative error of the cross-section", 0.0, 1.0)
    outliers: float = setting(0.03, "1", "share of spoiled images", 0.0, 1.0)
    outlier_factor: float = setting(10.0, "1", "noise of a spoiled image over that of the others", 0.0, 1e3)


MEASURED = [
    Field("time_s", "s", "time of the observation, from the zero of the segment's clock"),
    Field("strain", "1", "axial strain as read, logarithmic"),
    Field("stress_GPa", "GPa", "axial true stress: from the actuator's balance, or of a load cell"),
    Field("elongation_um", "um", "elongation as read"),
    Field("pull_GPa", "GPa", "force over the first area"),
]
TRUTH = [
    Field("time_s", "s", "as measured"),
    Field("strain", "1", "axial strain of the simulation, logarithmic"),
    Field("stress_GPa", "GPa", "axial true stress of the simulation"),
    Field("outlier", "1", "1 for a spoiled image"),
]
FIELDS = {"measured_NN.csv": MEASURED, "truth_NN.csv": TRUTH, "curves.h5": MEASURED + TRUTH}


def make(specimen: Specimen, settings: Settings) -> dict[str, Any]:
    """Writes the measurements of a specimen; returns the labels."""
    result = specimen.result
    segment = _segment(result)
    rows = result.rows(segment)
    time = result.times(segment)
    keep = time >= 0
    curve = {name: rows[name].values[keep] for name in ("strain_axial", "stress_axial_GPa")}
    time = time[keep]
    spring, elastic = _actuator(specimen, segment), _elastic(result)
    groups, labels = {}, []
    for number in range(settings.measurements):
        rng = specimen.rng("curves", number)
        at = _times(time, segment.type, settings, rng)
        truth = _truth(time, curve, at)
        measured, drawn = read_off(truth, spring, settings, rng, elastic)
        units = {field.name: field.unit for field in MEASURED + TRUTH}
        write_csv(specimen.path(f"measured_{number:02}.csv"), measured)
        write_csv(specimen.path(f"truth_{number:02}.csv"), {**truth, "outlier": drawn["outlier"]})
        full = {**truth, "outlier": drawn["outlier"]}
        groups[f"measured_{number:02}"] = {name: (values, units[name]) for name, values in measured.items()}
        groups[f"truth_{number:02}"] = {name: (values, units[name]) for name, values in full.items()}
        labels.append({"section_error": drawn["section_error"], "outliers": int(np.sum(drawn["outlier"]))})
    write_hdf5(specimen.path("curves.h5"), groups)
    actuator = {"stiffness_GPa": spring[0], "mismatch_strain": spring[1], "geometry": spring[2]} if spring else None
    return {
        "segment": segment.type,
        "temperature_K": segment.temperature_K,
        "actuator": actuator,
        "truth": _label(result, segment),
        "measurements": labels,
    }


def read_off(
    truth: dict, spring: tuple | None, settings: Settings, rng: np.random.Generator, elastic: tuple
) -> tuple[dict, dict]:
    """One measurement of true strains and stresses, and what was drawn for it. `spring`: stiffness, mismatch, geometry;
    `elastic`: Young's modulus in GPa, Poisson's number."""
    count = len(truth["time_s"])
    outlier = rng.random(count) < settings.outliers
    reading = settings.noise_nm * np.where(outlier, settings.outlier_factor, 1.0) * rng.standard_normal(count)
    steps = settings.drift_nm * rng.standard_normal(count)
    drift = np.cumsum(np.concatenate([[0.0], steps[1:]]))
    cell = settings.stress_noise_GPa * rng.standard_normal(count)
    section = settings.section * rng.standard_normal()
    small = spring is not None and spring[2] == "small"
    exact = truth["strain"] if small else np.expm1(truth["strain"])
    elongation = exact + (reading + drift) / (1e3 * settings.gauge_um)
    if min(elongation) <= -1.0:
        raise StzPostError(f"curves: a reading is shorter by more than the specimen's {settings.gauge_um:g} um: less noise")
    strain = elongation if small else np.log1p(elongation)
    if small:
        stress = truth["stress_GPa"] - spring[0] * (elongation - exact)
    elif spring:  # what the noise of the reading does to the balance
        stress = truth["stress_GPa"] + np.subtract(
            *(measure.pulled(e, *spring[:2], *elastic)[1] for e in (elongation, exact))
        )
    else:
        stress = truth["stress_GPa"] + cell
    pull = stress if small else measure.engineering(strain, stress, *elastic)[1]
    measured = {
        "time_s": truth["time_s"],
        "strain": strain,
        "stress_GPa": stress * (1 + section),
        "elongation_um": settings.gauge_um * elongation,
        "pull_GPa": pull * (1 + section),
    }
    return measured, {"outlier": outlier.astype(int), "section_error": float(section)}


def covariance(settings: Settings, count: int) -> np.ndarray:
    """Of the errors of the measured elongation over the length, without outliers."""
    steps = np.arange(count)
    drift = settings.drift_nm**2 * np.minimum(steps[:, None], steps[None, :])
    return (settings.noise_nm**2 * np.eye(count) + drift) / (1e3 * settings.gauge_um) ** 2


def stress_covariance(settings: Settings, count: int, stiffness: float | np.ndarray | None) -> np.ndarray:
    """Of the errors of the measured stress (GPa^2), without outliers and the cross-section's. `stiffness`: -d(stress) over
    d(elongation/length) of the actuator, a number or one for each reading (io.measure.spring_slope)."""
    if stiffness is not None:
        slope = np.broadcast_to(stiffness, count)
        return np.outer(slope, slope) * covariance(settings, count)
    return settings.stress_noise_GPa**2 * np.eye(count)


def _segment(result):
    try:
        return relaxation.find_segment(result)
    except StzPostError:
        return tension.find_segment(result)


def _actuator(specimen: Specimen, segment) -> tuple | None:
    """Stiffness, mismatch and geometry of the actuator, or None."""
    if segment.type != "actuator":
        return None
    path = f"protocol[{segment.index}]."
    stiffness, mismatch = (float(specimen.need(path + name)) for name in ("stiffness_GPa", "mismatch_strain"))
    shear = specimen.settings.get(path + "mode") == "shear"
    geometry = "small" if shear else str(specimen.settings.get(path + "geometry", "small"))  # no key in old results
    return stiffness, mismatch, geometry


def _elastic(result) -> tuple:
    return tuple(float(result.setting(name)) for name in ("young_GPa", "poisson"))


def _times(time: np.ndarray, kind: str, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Times of observation: even in ln t (straining: in t), each moved by up to 0.4 of the distance."""
    straining = kind == "strain-rate"
    first, last = (time[0], time[-1]) if straining else (settings.first_s, time[-1])
    if not (settings.observations >= 2 and 0 <= first < last):
        raise StzPostError(f"first_s: got {settings.first_s:g}, needs less than the segment's {time[-1]:g} s")
    place = np.arange(settings.observations) + 0.4 * rng.uniform(-1, 1, settings.observations)
    share = np.clip(place / (settings.observations - 1), 0, 1)
    return first + (last - first) * share if straining else first * (last / first) ** share


def _truth(time: np.ndarray, curve: dict, at: np.ndarray) -> dict:
    """The simulation at some times, interpolated in ln(1 + t)."""
    found = {name: np.interp(np.log1p(at), np.log1p(time), values) for name, values in curve.items()}
    return {"time_s": at, "strain": found["strain_axial"], "stress_GPa": found["stress_axial_GPa"]}


def _label(result, segment) -> dict:
    """What the whole, noise-free curve gives; None where an analysis is refused."""
    if segment.type == "strain-rate":
        found = tension.analyse(result, segment.index)
        rows = tension.quantities(found)
    else:
        rows = relaxation.quantities(relaxation.analyse(result, segment.index))
    return {row.name: {k: v for k, v in row.record().items() if k != "name"} for row in rows}
