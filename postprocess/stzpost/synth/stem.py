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
from ..io.emd import write_scan
from ..io.formats import Axis, counted, write_csv, write_hdf5, write_hspy
from ..io.result import plain_attributes
from . import places
from .nbed import beam_axes
from .specimen import Field, Specimen, setting

LARGEST = 8192  # probes times pixels in a row: the patterns of a snapshot are 0.5 GB


@dataclass(frozen=True)
class Settings:
    probes: int = setting(12, "1", "places of the probe in a row of the square", 1, 1000)
    pixels: int = setting(64, "1", "pixels in a row of a pattern", 8, 1000)
    dose: float = setting(20000.0, "electrons", "electrons of a pattern", 1e-3, 1e9)
    ring_per_nm: float = setting(4.2, "1/nm", "radius of the diffuse ring and of the Bragg discs' places", 1e-3, 1e3)
    ring_width_per_nm: float = setting(0.35, "1/nm", "standard deviation of the ring's radius", 1e-3, 1e3)
    disc_per_nm: float = setting(0.3, "1/nm", "radius of the direct beam and of Bragg discs (convergence)", 1e-3, 1e3)
    central: float = setting(0.6, "1", "share of the electrons in the direct beam", 0.0, 1.0)
    diffuse: float = setting(0.4, "1", "share of the electrons in the diffuse ring", 0.0, 1.0)
    bragg: float = setting(0.03, "1", "share of the electrons in the two discs of one cluster", 0.0, 1.0)
    speckle_modes: int = setting(4, "1", "independent parts of the speckle; its variance is one over them", 1, 100)
    beam_keV: float = setting(200.0, "keV", "energy of the electrons, for the metadata and the convergence angle", 1e-3, 1e6)
    exposure_ms: float = setting(5.0, "ms", "time of one pattern, for the metadata", 1e-9, 1e9)


FIELDS = {
    "stack_NN.hspy, datacube_NN.h5": [Field("data", "counts", "patterns [v][u][k_v][k_u] of snapshot NN")],
    "probes_NN.csv": [
        Field("u, v", "1", "number of the probe along the two axes after the beam"),
        Field("bragg", "1", "truth: 1 if an ordered, oriented cluster is within reach"),
        Field("weight", "1", "truth: sum of w over the clusters in reach"),
        Field("azimuth_deg", "deg", "truth: of the strongest, from the u axis, in [0, 180); NaN without"),
        Field("clusters", "1", "truth: number of such clusters in reach"),
        Field("order", "1", "truth: share of all clusters in reach that have their order; NaN without"),
        Field("plastic_strain", "1", "truth: axial plastic strain, mean through the foil over the probe's square"),
        Field("dark_field", "counts", "truth: mean counts of a ring detector of `ring_per_nm` ± `disc_per_nm`"),
    ],
    "truth_NN.h5": [
        Field("expected", "counts", "mean of each pattern, speckle included [v][u][k_v][k_u]"),
        Field("smooth", "counts", "the same, without speckle"),
        Field("maps/...", "as above", "the truth of `probes_NN.csv` as maps [v][u]; they are in `datacube_NN.h5` as well"),
    ],
}


def make(specimen: Specimen, settings: Settings) -> dict[str, Any]:
    if settings.central + settings.diffuse > 1 + 1e-9:
        raise StzPostError(f"4dstem: central + diffuse: got {settings.central + settings.diffuse:g}, needs at most 1")
    if settings.probes * settings.pixels > LARGEST:
        raise StzPostError(f"4dstem: probes times pixels: got {settings.probes * settings.pixels}, needs at most {LARGEST}")
    if 2 * settings.disc_per_nm < pixel_per_nm(settings):
        raise StzPostError(f"--disc-per-nm: got {settings.disc_per_nm:g}, needs half a pixel, {pixel_per_nm(settings) / 2:g} 1/nm")
    labels = []
    for index, path in enumerate(specimen.snapshots()):
        rng = specimen.rng("4dstem", index)
        azimuths = specimen.rng("4dstem", 1 << 20)  # a cluster keeps its azimuth through the snapshots
        snapshot = _snapshot(specimen, path, azimuths)
        seen = scan(specimen, snapshot, settings, rng)
        expected, smooth = patterns(seen, settings, rng)
        counts = counted(rng.poisson(expected))
        radius = np.hypot(*wave_vectors(settings))
        ring = settings.ring_per_nm - settings.disc_per_nm, settings.ring_per_nm + settings.disc_per_nm
        seen["dark_field"] = places.annulus(expected, radius, *ring)
        _write(specimen, index, settings, counts, expected, smooth, seen, snapshot)
        label = {"snapshot": os.path.basename(path), "strain": snapshot["strain"], "corner_nm": seen["corner_nm"]}
        labels.append({**label, "bragg_fraction": float(np.mean(seen["bragg"]))})
    return {"truth": {"snapshots": labels}}


def scan(specimen: Specimen, snapshot: dict, settings: Settings, rng: np.random.Generator) -> dict:
    """A square of probes at a random place: per probe [v][u] what is in reach."""
    beam = str(specimen.settings.get("nbed.beam", "z"))
    plane = ["xyz".index(axis) for axis in beam_axes(beam)]
    along = "xyz".index(beam)
    step, radius = float(specimen.need("nbed.probe_nm")), float(specimen.need("order.cluster_radius_nm"))
    box = snapshot["box_nm"]
    foil = min(float(specimen.need("nbed.foil_nm")), box[along])
    corner = rng.uniform(0, box)
    if specimen.result.film:  # the foil lies within it
        corner[along] *= 1 - foil / box[along]
    inside = np.mod(snapshot["position_nm"][:, along] - corner[along], box[along]) < foil
    u, v = np.meshgrid(*(corner[axis] + step * (np.arange(settings.probes) + 0.5) for axis in plane))  # [v][u]
    apart = np.stack([u, v], -1)[:, :, None, :] - snapshot["position_nm"][inside][:, plane]
    apart -= box[plane] * np.round(apart / box[plane])
    distance, reach = np.hypot(apart[..., 0], apart[..., 1]), radius + 0.5 * step
    place = {"along": along, "plane": plane, "corner_nm": corner.tolist(), "foil_nm": foil}
    place |= {"step_nm": step, "probes": settings.probes}
    strain = snapshot["plastic_strain"]
    spacing = float(specimen.result.setting("spacing_nm"))
    return {
        **_in_reach(distance, reach, step, {name: snapshot[name][inside] for name in ("shows", "azimuth")}),
        "order": places.order(snapshot["ordered"][inside], distance, reach),
        "plastic_strain": places.through_foil(strain, spacing, place),
        **place,
    }


def _in_reach(distance: np.ndarray, reach: float, step: float, clusters: dict) -> dict:
    """Of the clusters that show, at each place."""
    shows = clusters["shows"]
    distance, azimuth = distance[..., shows], clusters["azimuth"][shows]
    weight = np.where(distance <= reach, np.minimum(1.0, (reach - distance) / step), 0.0)
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


def _snapshot(specimen: Specimen, path: str, rng: np.random.Generator) -> dict:
    """Clusters with an azimuth each, drawn for all, so that a cluster's does not change as others fade; and strains."""
    with open_file(path) as file:
        if "clusters" not in file:
            raise StzPostError(f"{path}: no /clusters")
        group, attrs = file["clusters"], plain_attributes(file)
        position, ordered = group["position_nm"][...], group["ordered"][...] == 1
        shows = ordered & (group["oriented"][...] == 1)
        strain = file["VTKHDF/PointData/plastic_strain_axial"][...].T.astype(float)
    result = specimen.result
    box = float(result.setting("spacing_nm")) * np.atleast_1d(result.setting("cells"))
    found = {"position_nm": position, "ordered": ordered, "shows": shows, "box_nm": box, "plastic_strain": strain}
    told = {"strain": "strain_axial", "stress_GPa": "stress_axial_GPa", "time_s": "time_s"}
    return {**found, "azimuth": rng.uniform(0, np.pi, len(position)), **{k: float(attrs[v]) for k, v in told.items()}}


MAPS = {"bragg": "1", "weight": "1", "azimuth_deg": "deg", "clusters": "1", "order": "1", "plastic_strain": "1"}
MAPS |= {"dark_field": "counts"}  # the truth at each place, with its unit


def _notes(specimen: Specimen, settings: Settings, seen: dict, snapshot: dict) -> dict[str, Any]:
    """What belongs to a scan beside its axes; units are in the names, strains are ratios, doses electrons a pattern."""
    beam = str(specimen.settings.get("nbed.beam", "z"))
    notes = {name: snapshot[name] for name in ("strain", "stress_GPa", "time_s")}
    notes |= {"dose": settings.dose, "exposure_ms": settings.exposure_ms, "beam_keV": settings.beam_keV}
    notes |= {"probe_nm": seen["step_nm"], "foil_nm": seen["foil_nm"], "beam": beam, "axes_of_places": "v, u"}
    notes |= {"u": beam_axes(beam)[0], "v": beam_axes(beam)[1]}
    return {**notes, "state_hash": str(specimen.result.attrs.get("state_hash", ""))}


def _calibration(settings: Settings, step: float) -> dict[str, Any]:
    """As py4DSTEM names it: pixels of a pattern in 1/angstrom, the pattern's centre in pixels."""
    centre, radius = float(settings.pixels // 2), settings.disc_per_nm / pixel_per_nm(settings)
    found = {"Q_pixel_size": 0.1 * pixel_per_nm(settings), "Q_pixel_units": "A^-1"}
    found |= {"R_pixel_size": step, "R_pixel_units": "nm"}
    for axis in "qx0", "qy0":
        found |= {axis: centre, f"{axis}_mean": centre, f"{axis}_shift": 0.0}
    found |= {"QR_flip": False, "QR_rotation": 0.0, "QR_rotation_degrees": 0.0}
    found |= {"probe_semiangle": radius, "probe_convergence_semiangle_pixels": radius}
    angle = float(places.microscope(settings)["convergence_angle"])
    return {**found, "probe_convergence_semiangle_mrad": angle}


def _axes(specimen: Specimen, settings: Settings, step: float, inverse: str, scale: float) -> list[Axis]:
    """Of the array [v][u][k_v][k_u]; pixels of a pattern are in the unit `inverse`, which is `scale` per 1/nm."""
    first, second = beam_axes(str(specimen.settings.get("nbed.beam", "z")))
    pixel = scale * pixel_per_nm(settings)
    edge = -pixel * (settings.pixels // 2)
    axes = [Axis(second, "nm", step, navigate=True), Axis(first, "nm", step, navigate=True)]
    return axes + [Axis(f"k{second}", inverse, pixel, edge), Axis(f"k{first}", inverse, pixel, edge)]


def _write(specimen, index, settings, counts, expected, smooth, seen, snapshot) -> None:
    step = seen["step_nm"]
    notes = _notes(specimen, settings, seen, snapshot)
    maps = {name: (seen[name], unit) for name, unit in MAPS.items()}
    axes = _axes(specimen, settings, step, "1/nm", 1.0)
    microscope = places.microscope(settings)
    path = specimen.path(f"stack_{index:02}.hspy")
    write_hspy(path, "stack", counts, axes, notes, signal_type="electron_diffraction", microscope=microscope)
    axes = _axes(specimen, settings, step, "A^-1", 0.1)
    path = specimen.path(f"datacube_{index:02}.h5")
    write_scan(path, counts, axes, _calibration(settings, step), notes, maps)
    v, u = np.indices(seen["bragg"].shape)
    columns = {"u": u, "v": v, **{name: seen[name] for name in MAPS}}
    write_csv(specimen.path(f"probes_{index:02}.csv"), {name: values.ravel() for name, values in columns.items()})
    images = {"expected": expected.astype(np.float32), "smooth": smooth.astype(np.float32)}
    groups = {"": {name: (values, "counts") for name, values in images.items()}, "maps": maps}
    write_hdf5(specimen.path(f"truth_{index:02}.h5"), groups)
