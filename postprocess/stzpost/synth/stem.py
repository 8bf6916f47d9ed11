# SPDX-License-Identifier: GPL-3.0-or-later
"""Four-dimensional STEM: at each place of a square of probes a diffraction pattern.

The mean of a pattern, as a share of the electrons that hit the foil, is

    central e0(k) + diffuse R(|k|) s(k) + bragg sum_c w_c [e(k - g_c) + e(k + g_c)]/2 :

the direct beam e0 and Bragg discs e are discs of the convergence angle with soft edges, of sum 1; R is a ring of mean
radius `ring_per_nm` and Gaussian section, of sum 1; s is speckle: the mean of `speckle_modes` squared moduli of complex
Gaussian fields, correlated over a disc, so that s has the mean 1 and the variance 1/speckle_modes, drawn anew for each
pattern. The sum is over the ordered, Bragg-oriented clusters of the snapshot within R + r of the probe's axis (R the
clusters' radius, r the probe's): g_c has a length of `ring_per_nm` and an azimuth of its own, the same in each pattern
that sees it, and w_c = min(1, (R + r - d)/2r), d its distance from the axis, is how far the probe is on it. What the
discs take, the ring loses. Counts are Poisson with `dose` times this.

Bragg spots on the ring: the simulation knows where clusters are and whether they are oriented, not their structure.
"""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.fft import fft2, ifft2

from ..errors import StzPostError
from ..io.files import open_file
from ..io.formats import Axis, write_csv, write_emd, write_hdf5, write_hspy
from ..io.result import plain_attributes
from .nbed import beam_axes
from .specimen import Field, Specimen


@dataclass(frozen=True)
class Settings:
    probes: int = 12  # of a row of the square
    pixels: int = 64  # of a row of a pattern
    dose: float = 20000.0  # electrons a pattern
    ring_per_nm: float = 4.2  # radius of the diffuse ring, 1/nm
    ring_width_per_nm: float = 0.35  # its deviation, 1/nm
    disc_per_nm: float = 0.3  # radius of the direct beam and of Bragg discs, 1/nm
    central: float = 0.6  # share of the direct beam
    diffuse: float = 0.4  # share of the diffuse ring
    bragg: float = 0.03  # share of the two discs of one cluster
    speckle_modes: int = 4  # independent parts of the speckle


FIELDS = {
    "stack_NN.hspy, stack_NN.emd": [Field("data", "counts", "patterns [v][u][k_v][k_u] of snapshot NN")],
    "probes_NN.csv": [
        Field("u, v", "1", "number of the probe along the two axes after the beam"),
        Field("bragg", "1", "truth: 1 if an ordered, oriented cluster is within reach"),
        Field("weight", "1", "truth: sum of w over the clusters in reach"),
        Field("azimuth_deg", "deg", "truth: of the strongest, from the u axis, in [0, 180); NaN without"),
        Field("clusters", "1", "truth: number of clusters in reach"),
    ],
    "truth_NN.h5": [
        Field("expected", "counts", "mean of each pattern, speckle included [v][u][k_v][k_u]"),
        Field("smooth", "counts", "the same, without speckle"),
    ],
}


def make(specimen: Specimen, settings: Settings) -> dict[str, Any]:
    if settings.central + settings.diffuse > 1 + 1e-9 or settings.probes < 1 or settings.pixels < 8:
        raise StzPostError("4dstem: central + diffuse must be at most 1, probes at least 1, pixels at least 8")
    labels = []
    for index, path in enumerate(specimen.snapshots()):
        rng = specimen.rng("4dstem", index)
        azimuths = specimen.rng("4dstem", 1 << 20)  # a cluster keeps its azimuth through the snapshots
        clusters = _clusters(specimen, path, azimuths)
        seen = scan(specimen, clusters, settings, rng)
        expected, smooth = patterns(seen, settings, rng)
        counts = rng.poisson(expected).astype(np.uint16)
        _write(specimen, index, settings, counts, expected, smooth, seen)
        label = {"snapshot": os.path.basename(path), "strain": clusters["strain"], "corner_nm": seen["corner_nm"]}
        labels.append({**label, "bragg_fraction": float(np.mean(seen["bragg"]))})
    return {"truth": {"snapshots": labels}}


def scan(specimen: Specimen, clusters: dict, settings: Settings, rng: np.random.Generator) -> dict:
    """A square of probes at a random place: per probe [v][u] what is in reach."""
    beam = str(specimen.settings.get("nbed.beam", "z"))
    plane = ["xyz".index(axis) for axis in beam_axes(beam)]
    along = "xyz".index(beam)
    step, radius = float(specimen.need("nbed.probe_nm")), float(specimen.need("order.cluster_radius_nm"))
    box = clusters["box_nm"]
    foil = min(float(specimen.need("nbed.foil_nm")), box[along])
    corner = rng.uniform(0, box)
    inside = np.mod(clusters["position_nm"][:, along] - corner[along], box[along]) < foil
    position = clusters["position_nm"][inside][:, plane]
    places = step * (np.arange(settings.probes) + 0.5)
    u, v = np.meshgrid(corner[plane[0]] + places, corner[plane[1]] + places)  # [v][u]
    apart = np.stack([u, v], -1)[:, :, None, :] - position
    apart -= box[plane] * np.round(apart / box[plane])
    distance = np.hypot(apart[..., 0], apart[..., 1])
    reach = radius + 0.5 * step
    weight = np.where(distance <= reach, np.minimum(1.0, (reach - distance) / step), 0.0)
    azimuth = clusters["azimuth"][inside]
    found = distance <= reach
    any_found = found.any(-1)
    strongest = np.where(any_found, azimuth[np.argmax(weight, -1)] if len(azimuth) else 0.0, np.nan)
    return {
        "bragg": any_found.astype(int),
        "weight": weight.sum(-1),
        "azimuth_deg": np.degrees(strongest),
        "clusters": found.sum(-1),
        "weights": weight,
        "azimuths": azimuth,
        "step_nm": step,
        "corner_nm": corner.tolist(),
    }


def patterns(seen: dict, settings: Settings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Means of the counts [v][u][k_v][k_u], with speckle and without."""
    ku, kv = wave_vectors(settings)
    ring = np.exp(-0.5 * ((np.hypot(ku, kv) - settings.ring_per_nm) / settings.ring_width_per_nm) ** 2)
    ring /= ring.sum()
    centre = disc(settings, 0.0, 0.0)
    smooth = np.empty(seen["bragg"].shape + ku.shape)
    rings = np.empty_like(smooth)
    for place in np.ndindex(seen["bragg"].shape):
        spots = np.zeros_like(ring)
        for number in np.flatnonzero(seen["weights"][place]):
            spots += seen["weights"][place][number] * _pair(settings, seen["azimuths"][number])
        taken = min(settings.bragg * seen["weights"][place].sum(), settings.diffuse)
        spots *= taken / spots.sum() if taken > 0 else 0.0
        rings[place] = (settings.diffuse - taken) * ring
        smooth[place] = settings.central * centre + spots
    speckled = smooth + rings * speckle(rings.shape, settings, rng)
    return settings.dose * speckled, settings.dose * (smooth + rings)


def speckle(shape: tuple, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Speckle of mean 1 and variance 1/speckle_modes over the last two dimensions."""
    ku, kv = wave_vectors(settings)
    pixel = ku[0, 1] - ku[0, 0]
    frequency = np.fft.fftfreq(settings.pixels, pixel)
    square = frequency[:, None] ** 2 + frequency[None, :] ** 2
    kernel = np.exp(-2 * (np.pi * settings.disc_per_nm) ** 2 * square)  # a Gaussian of deviation disc_per_nm
    kernel /= np.sqrt(np.mean(kernel**2))
    total = np.zeros(shape)
    for _ in range(settings.speckle_modes):
        white = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
        total += np.abs(ifft2(fft2(white, axes=(-2, -1)) * kernel, axes=(-2, -1))) ** 2
    return total / settings.speckle_modes


def wave_vectors(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """k_u, k_v of each pixel [k_v][k_u], 1/nm; the pattern ends at 1.4 times the ring's radius."""
    k = pixel_per_nm(settings) * (np.arange(settings.pixels) - settings.pixels // 2)
    return tuple(np.meshgrid(k, k))


def pixel_per_nm(settings: Settings) -> float:
    return 2.8 * settings.ring_per_nm / settings.pixels


def disc(settings: Settings, centre_u: float, centre_v: float) -> np.ndarray:
    """A disc of the convergence angle, its edge soft over a pixel, of sum 1."""
    ku, kv = wave_vectors(settings)
    beyond = (np.hypot(ku - centre_u, kv - centre_v) - settings.disc_per_nm) / pixel_per_nm(settings)
    values = np.clip(0.5 - beyond, 0, 1)
    return values / values.sum()


def _pair(settings: Settings, azimuth: float) -> np.ndarray:
    gu, gv = settings.ring_per_nm * np.cos(azimuth), settings.ring_per_nm * np.sin(azimuth)
    return 0.5 * (disc(settings, gu, gv) + disc(settings, -gu, -gv))


def _clusters(specimen: Specimen, path: str, rng: np.random.Generator) -> dict:
    """Clusters that show, with an azimuth each; drawn for all, so that a cluster's does not change as others fade."""
    with open_file(path) as file:
        if "clusters" not in file:
            raise StzPostError(f"{path}: no /clusters")
        group, attrs = file["clusters"], plain_attributes(file)
        position, shows = group["position_nm"][...], (group["ordered"][...] & group["oriented"][...]) == 1
        azimuth = rng.uniform(0, np.pi, len(position))
    result = specimen.result
    box = float(result.setting("spacing_nm")) * np.atleast_1d(result.setting("cells"))
    chosen = {"position_nm": position[shows], "azimuth": azimuth[shows]}
    return {**chosen, "box_nm": box, "strain": float(attrs["strain_axial"])}


def _write(specimen: Specimen, index: int, settings: Settings, counts, expected, smooth, seen: dict) -> None:
    beam = str(specimen.settings.get("nbed.beam", "z"))
    first, second = beam_axes(beam)
    step, pixel = seen["step_nm"], pixel_per_nm(settings)
    edge = -pixel * (settings.pixels // 2)
    axes = [Axis(second, "nm", step, navigate=True), Axis(first, "nm", step, navigate=True)]
    axes += [Axis(f"k{second}", "1/nm", pixel, edge), Axis(f"k{first}", "1/nm", pixel, edge)]
    notes = {"dose": settings.dose, "state_hash": specimen.result.attrs.get("state_hash", "")}
    write_hspy(specimen.path(f"stack_{index:02}.hspy"), "stack", counts, axes, notes)
    write_emd(specimen.path(f"stack_{index:02}.emd"), "stack", counts, axes, notes)
    v, u = np.indices(seen["bragg"].shape)
    columns = {"u": u, "v": v, **{name: seen[name] for name in ("bragg", "weight", "azimuth_deg", "clusters")}}
    write_csv(specimen.path(f"probes_{index:02}.csv"), {name: values.ravel() for name, values in columns.items()})
    images = {"expected": expected.astype(np.float32), "smooth": smooth.astype(np.float32)}
    write_hdf5(specimen.path(f"truth_{index:02}.h5"), {"": {name: (v, "counts") for name, v in images.items()}})
