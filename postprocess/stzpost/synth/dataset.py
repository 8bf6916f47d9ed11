# SPDX-License-Identifier: GPL-3.0-or-later
"""A set: specimens, their split into train and test, the settings and seeds, and the data card."""
from __future__ import annotations

import json
import math
import os
from dataclasses import Field, asdict, fields
from types import ModuleType
from typing import Any, Iterable

from .. import __version__
from ..errors import StzPostError
from ..io import writing
from ..io.dataset import is_result
from ..io.files import one_line
from ..io.result import Result, open_result
from . import curves, maps, nbed, stem
from .specimen import Specimen

KINDS: dict[str, ModuleType] = {"curves": curves, "nbed": nbed, "4dstem": stem, "maps": maps}
TITLES = {
    "curves": "mechanical curves as read in an electron microscope",
    "nbed": "nanobeam diffraction: counted Bragg signal and density image",
    "4dstem": "4D-STEM: a diffraction pattern at each probe",
    "maps": "composition maps: dark field and energy loss",
}


def find_specimens(paths: Iterable[str]) -> list[str]:
    """Results among the paths; of a directory (a sweep's), all results in it."""
    found = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(path)
            continue
        inside = [os.path.join(where, name) for where, _, names in os.walk(path) for name in names]
        results = sorted(name for name in inside if name.endswith(".h5") and is_result(name))
        if not results:
            raise StzPostError(f"{path}: no results in it")
        found += results
    return found


def make_set(kind: str, paths: Iterable[str], directory: str, settings: Any, seed: int, test_share: float) -> dict:
    """Measures every specimen and writes the set into a new directory; returns what dataset.json says."""
    if os.path.isdir(directory) and os.listdir(directory):
        raise StzPostError(f"{directory}: is there and not empty")
    if not 0 <= test_share < 1:
        raise StzPostError(f"--test-share: got {test_share:g}, needs 0 to below 1")
    if seed < 0:
        raise StzPostError(f"--noise-seed: got {seed}, needs 0 or more")
    check(kind, settings)
    results = [open_result(path) for path in find_specimens(paths)]
    hashes = [str(one.attrs.get("state_hash", "")) for one in results]
    for result, state in zip(results, hashes):
        if not result.complete or not state:
            raise StzPostError(f"{result.path}: the run did not finish, so its sample has no state_hash")
        if hashes.count(state) > 1:
            raise StzPostError(f"{result.path}: another file holds the same sample (state_hash {state})")
    parts = split(hashes, test_share)
    specimens = []
    for index, (result, part) in enumerate(zip(results, parts)):
        name = f"specimen_{index:03}"
        folder = os.path.join(directory, part, name)
        try:
            os.makedirs(folder, exist_ok=True)
            label = KINDS[kind].make(Specimen(result, name, folder, seed), settings)
            with writing.text(os.path.join(folder, "label.json")) as file:
                json.dump(label, file, indent=1, ensure_ascii=False)
        except OSError as error:
            raise StzPostError(f"{error.filename or folder}: {error.strerror or one_line(error)}") from error
        specimens.append({"name": name, "split": part, **_provenance(result)})
    record = {"kind": kind, "format": "stzkmc-synthetic", "format_version": 1, "stzpost_version": __version__}
    record |= {"seed": seed, "test_share": test_share, "settings": asdict(settings), "specimens": specimens}
    with writing.text(os.path.join(directory, "dataset.json")) as file:
        json.dump(record, file, indent=1, ensure_ascii=False)
    with writing.text(os.path.join(directory, "README.md")) as file:
        file.write(card(record))
    return record


def split(hashes: list[str], test_share: float) -> list[str]:
    """Train or test for each specimen, whole specimens only, by the order of their hashes: not by the files' order. The
    test part is the nearest number to its share, but neither part is empty while there are two specimens."""
    count = round(test_share * len(hashes))
    if test_share > 0 and len(hashes) > 1:
        count = min(max(count, 1), len(hashes) - 1)
    order = sorted(range(len(hashes)), key=lambda index: hashes[index])
    parts = ["train"] * len(hashes)
    for index in order[:count] if len(hashes) > 1 else ():
        parts[index] = "test"
    return parts


def card(record: dict) -> str:
    """The README of a set."""
    kind = record["kind"]
    module = KINDS[kind]
    noise = "\n\n".join(_paragraphs(module.__doc__))
    about = {name: one.metadata for name, one in options(kind).items()}
    settings = "\n".join(
        f"| `{name}` | {value:g} | {about[name]['unit']} | {about[name]['text']} |"
        for name, value in record["settings"].items()
    )
    tables = []
    for files, columns in module.FIELDS.items():
        rows = "\n".join(f"| `{one.name}` | {one.unit} | {one.text} |" for one in columns)
        tables.append(f"`{files}`\n\n| field | unit | |\n|---|---|---|\n{rows}")
    rows = "\n".join(
        f"| {one['split']}/{one['name']} | {one['file']} | {one['state_hash']} | {one['run_seed']} "
        f"| {one['program_version']}, {one['git']} | `{one['command_line']}` |"
        for one in record["specimens"]
    )
    tests = sum(one["split"] == "test" for one in record["specimens"])
    lone = "" if tests or record["test_share"] == 0 else " With a single specimen there is nothing to test on."
    return (
        f"# Synthetic data: {TITLES[kind]}\n\n"
        "Made by `stz-post synth` from kinetic Monte Carlo simulations with stzkmc: not measured. The truth is beside "
        "the data: files named `truth…`, columns marked *truth*, and `label.json` of each specimen. `dataset.json` "
        "holds seed, settings and provenance for programs.\n\n"
        f"## Split\n\nBy specimen, i.e. by simulated sample: {len(record['specimens']) - tests} to train, {tests} to "
        f"test. All data of a specimen are in one part.{lone}\n\n"
        f"## Files of a specimen\n\n" + "\n\n".join(tables) + "\n\n"
        f"## Noise model\n\n{noise}\n\n| setting | value | unit | |\n|---|---|---|---|\n{settings}\n\n"
        f"Seed {record['seed']}; the random numbers of a specimen depend on it, on the sample's `state_hash` and on the "
        "number of the measurement, not on other files.\n\n"
        "## Provenance\n\n| specimen | result | state_hash | seed of the run | stzkmc | command |\n|---|---|---|---|---|---|\n"
        f"{rows}\n\nstzpost {record['stzpost_version']}. The simulation's own limits are those of its model "
        "(docs/theory.md): synthetic data test analysis code, not the model.\n"
    )


def options(kind: str) -> dict[str, Field]:
    """The settings of a kind: default, and unit and text as metadata."""
    return {one.name: one for one in fields(KINDS[kind].Settings)}


def check(kind: str, settings: Any) -> None:
    """Refuses a value beyond what its setting may be, and one that is no number."""
    for name, each in options(kind).items():
        value, least, most = getattr(settings, name), each.metadata["least"], each.metadata["most"]
        if not least <= value <= most:
            unit = f" {each.metadata['unit']}".removesuffix(" 1")
            raise StzPostError(f"--{name.replace('_', '-')}: got {value}, needs {least:g} to {most:g}{unit}")


def _paragraphs(text: str) -> list[str]:
    """Text of a module's docstring, formulas as they are."""
    parts = text.strip().split("\n\n")
    return [part if part.startswith("    ") else " ".join(part.split()) for part in parts]


def _provenance(result: Result) -> dict:
    a = result.attrs
    names = ("state_hash", "program_version", "git", "command_line", "created_utc")
    found = {name: str(a.get(name, "")) for name in names}
    seed = a.get("seed", math.nan)
    return {"file": result.name, "run_seed": seed, **found, "input": result.resolved_text}
