#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The uniform glass of equal strength of `run/bands`: barriers that are all lower by Δ are as good as a rate that is lower
by exp(-Δ/kT), event by event, softening included. In detail the study has both as runs."""
import os
import sys
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, finish, run

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
from stzpost.studies import bands  # noqa: E402
from stzpost.units import KB_EV, ROOM_K  # noqa: E402

COMMON = ('kmc.engine="direct"', "lattice.cells=[16, 16, 16]", "protocol[0].until_strain=0.06", "output.events=true",
          "output.nbed_strains=[]", "barriers.softening_eV=0.2")
GLASSES = {  # the settings that the study has for both
    "strong": (*bands.STRUCTURES[bands.STRONG], f"protocol[0].rate_per_s={bands.RATE_PER_S}"),
    "slower": (*bands.STRUCTURES[bands.UNIFORM], f"protocol[0].rate_per_s={bands.SLOWER_PER_S}"),
    "neither": (*bands.STRUCTURES[bands.UNIFORM], f"protocol[0].rate_per_s={bands.RATE_PER_S}"),
}


def events(folder, name):
    settings = [word for one in (*COMMON, *GLASSES[name]) for word in ("--set", one)]
    path = os.path.join(folder, name + ".h5")
    done = run(["run", os.path.join(SOURCE, "inputs", "tension.cfg"), "-o", path, *settings])
    expect(f"{name} runs", done.returncode == 0, done.stderr)
    with h5py.File(path) as result:
        return {key: result["events"][key][:] for key in ("site", "mode", "sign", "time_s")}


def main():
    with tempfile.TemporaryDirectory() as folder:
        strong, slower, neither = (events(folder, name) for name in GLASSES)
    count = len(strong["time_s"])
    expect("there is flow", count > 100, count)
    same = all(np.array_equal(strong[key], slower[key]) for key in ("site", "mode", "sign"))
    expect("the same events", same, f"{count} and {len(slower['time_s'])}")
    if same:
        ratio = slower["time_s"] / strong["time_s"] * np.exp(-bands.SHIFT_EV / (KB_EV * ROOM_K))
        expect("at times in the ratio of the rates", np.allclose(ratio, 1, rtol=2e-3), (ratio.min(), ratio.max()))
    expect("other events at the same rate", not np.array_equal(strong["site"][:100], neither["site"][:100]))
    finish()


main()
