# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies below each place of a probe: maps of the truth on the places of a scan."""
from __future__ import annotations

from typing import Any

import numpy as np

POINTS = 4  # in a row, at which a square of the probe's step is looked at


def order(ordered: np.ndarray, distance: np.ndarray, reach: float) -> np.ndarray:
    """Share of the clusters in reach that have their order [v][u]; NaN where there is none."""
    found = distance <= reach
    count = found.sum(-1)
    with np.errstate(invalid="ignore"):
        return (found & ordered).sum(-1) / np.where(count > 0, count, np.nan)


def through_foil(values: np.ndarray, spacing: float, scan: dict) -> np.ndarray:
    """Mean of a field [x][y][z] through the foil and over the square of a probe's step, at each place [v][u].

    `scan` has the axes `along` and `plane` (u, v), the foil's lower corner and thickness and the probe's step, nm."""
    along, (first, second) = scan["along"], scan["plane"]
    cells, corner = np.array(values.shape), np.array(scan["corner_nm"])
    depth = np.mod(spacing * (np.arange(cells[along]) + 0.5) - corner[along], spacing * cells[along])
    inside = np.flatnonzero(depth < scan["foil_nm"])
    flat = np.take(values, inside, axis=along).mean(axis=along)
    flat = flat if first < second else flat.T  # [u][v]
    inner = (np.arange(scan["probes"] * POINTS) + 0.5) * scan["step_nm"] / POINTS
    u, v = (np.floor((corner[axis] + inner) / spacing).astype(int) % cells[axis] for axis in (first, second))
    seen = flat[np.ix_(u, v)].reshape(scan["probes"], POINTS, scan["probes"], POINTS)
    return seen.mean(axis=(1, 3)).T


def annulus(patterns: np.ndarray, radius: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """Counts of a virtual detector between two radii, of each pattern [v][u]."""
    return patterns[..., (radius >= inner) & (radius <= outer)].sum(-1)


def electron(beam_keV: float) -> float:
    """Wavelength of electrons of an energy, nm (relativistic)."""
    rest = 510.99895  # keV
    return 1.23984198 / np.sqrt(beam_keV * (beam_keV + 2 * rest))  # h c / sqrt(E (E + 2 m c^2)), keV nm


def microscope(settings: Any) -> dict[str, Any]:
    """The instrument as HyperSpy and pyxem name its parts: keV, mrad, nA, ms."""
    current = settings.dose * 1.602176634e-19 / (1e-3 * settings.exposure_ms) * 1e9
    return {
        "beam_energy": settings.beam_keV,
        "convergence_angle": 1e3 * settings.disc_per_nm * electron(settings.beam_keV),
        "beam_current": current,
        "acquisition_mode": "STEM",
        "Detector": {"Diffraction": {"exposure_time": settings.exposure_ms}},
    }
