#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job scripts from a scratch folder, as SLURM runs them: a copy of the script in a folder of its own. The queue itself
is tested by tests/cluster/slurm.py."""
import glob
import os
import shutil
import subprocess
import tempfile

from harness import PROGRAM, SOURCE, expect, finish, read, write

INPUT = """model = "zr65ni35";
lattice: { cells = [16, 16, 16]; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.01; } );
"""
SWEEP = 'input = "in.cfg";\naxes = ( { key = "barriers.width_eV"; values = [0.05, 0.1]; } );\n'


def job(folder, script, *arguments, program="PATH", **more):
    """What the script says as a job of one task."""
    spool = os.path.join(folder, "spool")
    os.makedirs(spool, exist_ok=True)
    shutil.copy(script, os.path.join(spool, "slurm_script"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("STZKMC", "SLURM"))}
    path = os.path.dirname(PROGRAM) + os.pathsep + kept["PATH"] if program == "PATH" else kept["PATH"]
    environment = kept | {"PATH": path, "SLURM_SUBMIT_DIR": folder, "STZKMC_LAUNCH": "env"} | more
    if program not in ("PATH", None):
        environment["STZKMC"] = program
    return subprocess.run(["bash", os.path.join(spool, "slurm_script"), *arguments], cwd=folder, env=environment, text=True,
                          capture_output=True, timeout=120, check=False)


def check(folder, scripts):
    write(os.path.join(folder, "in.cfg"), INPUT)
    write(os.path.join(folder, "s.cfg"), SWEEP)
    done = job(folder, os.path.join(scripts, "run.sbatch"), "in.cfg", "out.h5", "-q")
    expect("run", done.returncode == 0 and os.path.exists(os.path.join(folder, "out.h5")), done.stderr)
    done = job(folder, os.path.join(scripts, "sweep.sbatch"), "s.cfg", "all", "--set", "barriers.mean_eV=2.3")
    manifest = read(os.path.join(folder, "all", "manifest.jsonl")).decode() if done.returncode == 0 else ""
    expect("sweep", manifest.count('"state":"done"') == 2 and "barriers.mean_eV=2.3" in manifest, done.stderr)
    for task in "3", "4":
        done = job(folder, os.path.join(scripts, "array.sbatch"), "s.cfg", "parts", program=PROGRAM,
                   SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_MIN="3", SLURM_ARRAY_TASK_COUNT="2")
        expect("array " + task, done.returncode == 0, done.stderr)
    manifest = read(os.path.join(folder, "parts", "manifest.jsonl")).decode()
    expect("array", manifest.count('"state":"done"') == 2, manifest)
    done = job(folder, os.path.join(scripts, "run.sbatch"), "in.cfg", "none.h5", program=None)
    expect("no program", done.returncode == 2 and done.stderr == "run.sbatch: no stzkmc on PATH; set STZKMC to the program\n",
           done.stderr)


for path in sorted(glob.glob(os.path.join(SOURCE, "run", "slurm", "*.sbatch"))):
    text = read(path).decode()
    marked = [line for line in text.splitlines() if "YOURS" in line]
    expect("marked places of " + path, len(marked) >= 4 and all(f"--{word}=" in text for word in ("account", "mem-per-cpu"))
           and "module load" in text, marked)
with tempfile.TemporaryDirectory() as scratch:
    check(scratch, os.path.join(SOURCE, "run", "slurm"))
finish()
