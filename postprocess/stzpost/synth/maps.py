# SPDX-License-Identifier: GPL-3.0-or-later
"""Composition maps as an electron microscope would give them of a foil of the sample.

The foil is projected along the beam and blurred by a Gaussian probe of full width `probe_fwhm_nm` at half maximum (the
box is periodic). High-angle dark field: Poisson counts of mean `dose`, in proportion to sum x Z^1.7, plus a reading
noise of deviation `readout` counts. Energy loss: for each element Poisson counts with the mean

    eels_counts x + background,

x its atomic fraction; the Ni fraction is estimated from the two edges less their known background.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..io.formats import Axis, write_csv, write_emd, write_hdf5, write_hspy, write_vtkhdf
from .nbed import beam_axes, scattering
from .specimen import Field, Specimen, setting


@dataclass(frozen=True)
class Settings:
    dose: float = setting(2000.0, "counts", "mean of a pixel of the dark-field image", 1e-3, 1e9)
    readout: float = setting(5.0, "counts", "standard deviation of the reading noise of the dark-field image", 0.0, 1e9)
    eels_counts: float = setting(3000.0, "counts", "mean of an edge of the pure element", 1.0, 1e9)
    background: float = setting(500.0, "counts", "mean below an edge", 0.0, 1e9)
    probe_fwhm_nm: float = setting(0.6, "nm", "full width of the probe at half its maximum", 0.0, 1e3)


FIELDS = {
    "haadf.hspy, haadf.emd": [Field("data", "counts", "dark-field image [v][u]")],
    "eels.hspy, eels.emd": [Field("data", "counts", "edges of Ni and Zr, background included [element][v][u]")],
    "nickel.hspy, nickel.emd": [Field("data", "1", "Ni fraction estimated from the edges [v][u]")],
    "pixels.csv": [
        Field("u, v", "1", "number of the pixel along the two axes after the beam"),
        Field("haadf, ni_edge, zr_edge", "counts", "as above"),
        Field("nickel", "1", "truth: Ni fraction through the foil, not blurred"),
    ],
    "truth.h5": [
        Field("nickel", "1", "Ni fraction through the foil [v][u]"),
        Field("nickel_blurred", "1", "the same, blurred by the probe"),
        Field("expected_haadf", "counts", "mean of the dark-field image"),
        Field("expected_eels", "counts", "means of the edges [element][v][u]"),
    ],
    "truth.hdf": [
        Field("composition", "1", "VTKHDF image: Ni fraction in space"),
        Field("plastic_strain_axial", "1", "the same: axial plastic strain of events centred on the voxel"),
    ],
}


def make(specimen: Specimen, settings: Settings) -> dict[str, Any]:
    result = specimen.result
    composition = result.field("composition").values.astype(float)
    spacing = float(result.setting("spacing_nm"))
    beam = str(specimen.settings.get("nbed.beam", "z"))
    nickel, foil = project(composition, spacing, beam, float(specimen.settings.get("nbed.foil_nm", math.inf)))
    blurred = blur(nickel, settings.probe_fwhm_nm / spacing)
    rng = specimen.rng("maps")
    expected, edges = means(blurred, settings)
    haadf = (rng.poisson(expected) + settings.readout * rng.standard_normal(expected.shape)).astype(np.float32)
    eels = rng.poisson(edges).astype(np.uint32)
    first, second = beam_axes(beam)
    axes = [Axis(second, "nm", spacing), Axis(first, "nm", spacing)]
    notes = {"foil_nm": foil, "state_hash": result.attrs.get("state_hash", "")}
    stacks = {
        "haadf": (haadf, axes),
        "eels": (eels, [Axis("element", "", 1.0, navigate=True), *axes]),
        "nickel": (estimate(eels, settings).astype(np.float32), axes),
    }
    for name, (data, dims) in stacks.items():
        write_hspy(specimen.path(f"{name}.hspy"), name, data, dims, notes)
        write_emd(specimen.path(f"{name}.emd"), name, data, dims, notes)
    v, u = np.indices(haadf.shape)
    columns = {"u": u, "v": v, "haadf": haadf, "ni_edge": eels[0], "zr_edge": eels[1], "nickel": nickel}
    write_csv(specimen.path("pixels.csv"), {name: values.ravel() for name, values in columns.items()})
    truth = {"nickel": (nickel, "1"), "nickel_blurred": (blurred, "1")}
    truth |= {"expected_haadf": (expected, "counts"), "expected_eels": (edges, "counts")}
    write_hdf5(specimen.path("truth.h5"), {"": truth})
    fields = {"composition": (composition, "1")}
    if "plastic_strain_axial" in result.field_names:
        fields["plastic_strain_axial"] = (result.field("plastic_strain_axial").values, "1")
    write_vtkhdf(specimen.path("truth.hdf"), fields, spacing)
    return {"truth": {"nickel_fraction": float(nickel.mean()), "foil_nm": foil, "deviation": float(nickel.std())}}


def project(composition: np.ndarray, spacing: float, beam: str, foil: float) -> tuple[np.ndarray, float]:
    """Mean along the beam through a foil from the box's lower face, [v][u]; and the foil's thickness in whole voxels."""
    along = "xyz".index(beam)
    layers = min(composition.shape[along], max(1, round(min(foil / spacing, 1e9))))
    mean = np.take(composition, range(layers), axis=along).mean(axis=along)
    return (mean if beam == "y" else mean.T), layers * spacing


def blur(image: np.ndarray, fwhm: float) -> np.ndarray:
    """Periodic convolution with a Gaussian of unit integral; `fwhm` in pixels."""
    sigma = fwhm / math.sqrt(8 * math.log(2))
    frequency = [np.fft.fftfreq(n) for n in image.shape]
    square = frequency[0][:, None] ** 2 + frequency[1][None, :] ** 2
    return np.fft.ifft2(np.fft.fft2(image) * np.exp(-2 * (math.pi * sigma) ** 2 * square)).real


def means(blurred: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Expected dark-field counts, and counts of the two edges, of a blurred Ni fraction."""
    columns = scattering(blurred)
    edges = settings.eels_counts * np.stack([blurred, 1 - blurred]) + settings.background
    return settings.dose * columns / columns.mean(), edges


def estimate(eels: np.ndarray, settings: Settings) -> np.ndarray:
    """Ni fraction from the counts of the two edges, their background known."""
    net = eels.astype(float) - settings.background
    return net[0] / net.sum(axis=0)
