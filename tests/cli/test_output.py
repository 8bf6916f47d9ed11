#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/output.md against the files of a run with everything on: each dataset stands on the page, with its unit, type,
dimensions and description, and each line of the page is a dataset of the files."""
import os
import re
import tempfile

import h5py

from harness import SOURCE, expect, finish, run, write

INPUT = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [16, 16, 24]; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.06; }},
             {{ type = "relaxation"; duration_s = 100.0; }} );
output: {{ nbed_strains = [0.0, 0.05]; snapshots = true; events = true; avalanches = true; }};
nbed: {{ foil_nm = 9.0; scans = 2; }};
"""
TYPES = {"float64": "<f8", "float32": "<f4", "int32": "<i4", "int16": "<i2", "int8": "|i1", "uint8": "|u1"}


def page():
    """What the page says: dataset -> (dimensions with the size of those that have one, type, unit, description)."""
    with open(os.path.join(SOURCE, "docs", "output.md"), encoding="utf-8") as file:
        text = file.read().partition("<!-- printed by")[2].partition("<!-- end")[0]
    said = {}
    for group, rows in re.findall(r"^`(/[^`]*)`: .*\n\n\| dataset .*\n.*\n((?:\|.*\n)+)", text, re.M):
        for row in rows.splitlines():
            name, dimensions, *rest = row.strip("| ").split(" | ")
            names = [] if dimensions == "one value" else dimensions.split(" × ")
            said[f"{group}/{name.strip('`')}"] = (names, *rest)
    return said


def compare(place, node, said):
    dimensions, kind, unit, description = said
    attributes = {name: node.attrs.get(name) for name in ("units", "dimensions", "description")}
    names = [re.sub(r"\[\d+\]", "", name) for name in dimensions]
    expect(f"{place}: unit", attributes["units"] == unit, (attributes, unit))
    expect(f"{place}: dimensions", attributes["dimensions"] == " ".join(names), (attributes, names))
    expect(f"{place}: description", attributes["description"] == description, (attributes, description))
    text = h5py.check_string_dtype(node.dtype) is not None
    expect(f"{place}: type", "text" == kind if text else node.dtype.str == TYPES.get(kind), (node.dtype, kind))
    expect(f"{place}: rank", node.ndim == len(dimensions), (node.shape, dimensions))
    for size, name in zip(node.shape, dimensions):
        fixed = re.search(r"\[(\d+)\]", name)
        expect(f"{place}: size of {name}", not fixed or size == int(fixed[1]), node.shape)


def look(where, path, node, said, met):
    if not isinstance(node, h5py.Dataset):
        return
    place = "/" + re.sub(r"level_\d\d/", "level_NN/", path)
    met.add(place)
    expect(f"{where} stands in docs/output.md", place in said)
    if place in said:
        compare(where, node, said[place])


def main():
    said, met = page(), set()
    expect("the page has datasets", len(said) > 60, len(said))
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "full.cfg"), INPUT)
        done = run(["run", "full.cfg", "-q"], cwd=folder)
        expect("the run", done.returncode == 0, done.stderr)
        for name in ("full.h5", "full.0000.hdf", "full.0001.hdf"):
            with h5py.File(os.path.join(folder, name), "r") as file:
                file.visititems(lambda path, node: look(f"{name}: {path}", path, node, said, met))
    expect("each dataset of docs/output.md is in the files", not said.keys() - met, said.keys() - met)
    finish()


main()
