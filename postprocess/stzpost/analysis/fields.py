# SPDX-License-Identifier: GPL-3.0-or-later
"""Slices through the fields of the sample."""
import math
from dataclasses import dataclass

import numpy as np

from ..errors import StzPostError
from .quantity import Quantity

LABELS = {
    "composition": ("Ni fraction", "1"),
    "barrier_initial_eV": ("barrier, before", "eV"),
    "barrier_eV": ("barrier, after", "eV"),
    "plastic_strain_axial": ("plastic strain", "%"),
}


@dataclass
class Slice:
    name: str
    label: str
    unit: str
    values: np.ndarray  # of the slice, first index along axes[0]
    axes: tuple  # letters of its two axes
    spacing_nm: float
    position_nm: float
    whole: tuple  # mean, standard deviation of the whole field


class Slices(list):
    """The slices, and `structure`: the measures of the microstructure by name."""

    def __init__(self, structure):
        super().__init__()
        self.structure = structure


def analyse(result, axis="z", index=None):
    """Slices normal to `axis` of each field that the file holds."""
    slices = Slices(result.microstructure)
    for name, (label, unit) in LABELS.items():
        if name not in result.field_names:
            continue
        field = result.field(name)
        values = field.values.astype(float)
        if name == "plastic_strain_axial":
            spacing, volume = float(result.setting("spacing_nm")), float(result.setting("volume_nm3"))
            values = 100 * smear(values, spacing, volume, result.film)
        slices.append(_slice(result, name, label, unit, field, values, axis, index))
    if not slices:
        raise StzPostError(f"{result.path}: none of the fields {', '.join(LABELS)} in /microstructure")
    return slices


def smear(values, spacing, volume, folded=False):
    """Events are filed at their centre voxels: the eigenstrain field is that smeared by the STZ's shape,
    exp(-k^2 s^2/2) with s = volume^(1/3)/(2 sqrt pi). The box is periodic, or what of a shape sticks out of the surfaces
    normal to the last axis is `folded` back, as docs/theory.md §4 says of films."""
    if folded:  # the sample and its mirror image are periodic
        layers = values.shape[2]
        return smear(np.concatenate([values, values[:, :, ::-1]], axis=2), spacing, volume)[:, :, :layers]
    s = volume ** (1 / 3) / (2 * math.sqrt(math.pi))
    k = [2 * math.pi * np.fft.fftfreq(n, spacing) for n in values.shape]
    k[2] = 2 * math.pi * np.fft.rfftfreq(values.shape[2], spacing)
    square = k[0][:, None, None] ** 2 + k[1][None, :, None] ** 2 + k[2][None, None, :] ** 2
    return np.fft.irfftn(np.fft.rfftn(values) * np.exp(-0.5 * s * s * square), values.shape, axes=(0, 1, 2))


def quantities(slices):
    """What `stz-post slices` prints: means and deviations of the whole fields, and the measures of the structure."""
    rows = []
    for one in slices:
        rows += [
            Quantity(f"{one.label}: mean", one.whole[0], one.unit, digits=4),
            Quantity(f"{one.label}: deviation", one.whole[1], one.unit),
        ]
    units = {
        "nickel_fraction": "1",
        "length_spectrum_nm": "nm",
        "length_correlation_nm": "nm",
        "interface_area_per_nm": "1/nm",
    }
    rows += [
        Quantity(name, float(slices.structure[name]), unit) for name, unit in units.items() if name in slices.structure
    ]
    return rows


def _slice(result, name, label, unit, field, values, axis, index):
    number = field.dims.index(axis)
    count = values.shape[number]
    index = count // 2 if index is None else index
    if not 0 <= index < count:
        raise StzPostError(f"{result.path}: --index: got {index}, needs 0 to {count - 1}")
    spacing = float(result.setting("spacing_nm"))
    axes = tuple(letter for letter in "xyz" if letter != axis)
    return Slice(
        name,
        label,
        unit,
        np.take(values, index, axis=number),
        axes,
        spacing,
        spacing * index,
        (float(values.mean()), float(values.std())),
    )
