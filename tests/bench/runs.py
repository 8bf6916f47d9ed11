#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of an input by two programs in turns: the other one on one rank, ours on one and on two. Wall times, and
processor times of all processes; a machine with other work slows some turns, hence the least of each.

usage: runs.py OTHER OURS INPUT JSON [arguments of run, such as --set KEY=VALUE ...]
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

TURNS = 3
CASES = {"other_1": (0, 1), "ours_1": (1, 1), "ours_2": (1, 2)}  # program, ranks


def measure(program, ranks, arguments, output):
    launch = ["mpirun", "--bind-to", "core", "-n", str(ranks)] if ranks > 1 else []
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(launch + [program, "run", *arguments, "-o", output, "--force", "-q"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall_s": time.monotonic() - begin,
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def main():
    programs, (source, target), more = sys.argv[1:3], sys.argv[3:5], sys.argv[5:]
    found = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            for name, (program, ranks) in CASES.items():
                found[name].append(measure(programs[program], ranks, [source, *more], os.path.join(folder, f"{name}.h5")))
                print(f"turn {turn + 1}: {name} {found[name][-1]['wall_s']:.1f} s wall, {found[name][-1]['cpu_s']:.1f} s "
                      "of processor time", flush=True)
    least = {name: min(one["wall_s"] for one in turns) for name, turns in found.items()}
    ratios = {f"run_ratio_{ranks}": least["other_1"] / least[f"ours_{ranks}"] for ranks in (1, 2)}
    with open(target, "w", encoding="utf-8") as file:
        json.dump({"input": source, "arguments": more, **ratios, "turns": found}, file, indent=1)
    print(", ".join(f"{name} {value:.2f}" for name, value in ratios.items()))


main()
