# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated sample to be measured, and its random numbers."""
from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import StzPostError
from ..io.dataset import snapshot_files
from ..io.resolved import settings
from ..io.result import Result


@dataclass(frozen=True)
class Field:
    """What a file holds under one name, for the data card."""

    name: str
    unit: str
    text: str


def setting(default: Any, unit: str, text: str, least: Any, most: Any) -> Any:
    """A field of a kind's settings, with its unit and meaning for `--help` and the data card, and what it may be."""
    return field(default=default, metadata={"unit": unit, "text": text, "least": least, "most": most})


@dataclass
class Specimen:
    """A result, the folder for what is measured on it, and the seed of the set."""

    result: Result
    name: str
    folder: str
    seed: int
    settings: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.settings = settings(self.result.resolved_text)

    def rng(self, kind: str, *index: int) -> np.random.Generator:
        """Random numbers of one measurement: they depend on the seed, the kind, the sample's state and the number of
        the measurement alone, so that other files in the set change nothing."""
        state = int(str(self.result.attrs.get("state_hash", "0")), 16)
        key = (int.from_bytes(kind.encode(), "big"), state, *index)
        words = [word for number in key for word in _words(number)]
        return np.random.default_rng(np.random.SeedSequence(entropy=self.seed, spawn_key=words))

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def need(self, key: str) -> Any:
        """A value of the resolved input."""
        if key not in self.settings:
            raise StzPostError(f"{self.result.path}: no {key} in /config/resolved")
        return self.settings[key]

    def snapshots(self) -> list[str]:
        found = snapshot_files(self.result.path)
        if not found:
            raise StzPostError(f"{self.result.path}: no snapshots beside it (output.snapshots = true)")
        return found


def _words(number: int) -> list[int]:
    """A number as 32-bit words, with their count: no two sequences of numbers give the same words."""
    words = []
    while number:
        words.append(number & 0xFFFFFFFF)
        number >>= 32
    return [len(words), *words]
