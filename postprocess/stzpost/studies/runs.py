# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of the experiment, and how they are carried out: several seeds of each, a process each, as many at once as
there are cores. What is finished is kept, what was interrupted goes on, so that the command can be given again."""
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

from ..errors import StzPostError
from ..io import writing

# The actuators of the array have one cross-section and differ in length. With the residual stress s_a of the beam,
# mismatch * stiffness = s_a A_a/A_s for all of them: 8.28 GPa here, so that the one of 72 GPa stretches the specimen
# to about 7 %. The lengths are spread over elastic specimens, the neighbourhood of yield, and flow.
PULL_GPA = 8.28
STIFFNESSES = (756.0, 372.0, 204.0, 176.0, 157.0, 141.0, 127.0, 114.0, 100.0, 86.0, 72.0, 62.0, 55.0, 50.0)
QUICK_STIFFNESSES = (372.0, 176.0, 141.0, 100.0, 72.0, 55.0)
RATES = (1e-8, 1e-6, 1e-4)  # of the master curve
INDENTATION_RATE = 0.05  # per second, of the study's nanoindentation
TEMPERATURES = (250.0, 295.0, 350.0)
STRUCTURES = {  # the field of domains and its controls; all have the same total width of barriers but `uniform`
    "domains": [],
    "shuffled": ['microstructure.control="shuffled"'],
    "equal-histogram": ['microstructure.control="equal-histogram"'],
    "uniform": ['microstructure.type="uniform"'],
}
ENGINE = 'kmc.engine="direct"'  # all figures of docs/experiment.md are of this one
SOFTENING_EV = 0.3  # strong enough for a uniform glass to localise


@dataclass(frozen=True)
class Run:
    series: str
    label: str  # what differs within the series
    input: str  # in inputs/
    seed: int
    settings: tuple = ()
    values: dict = field(default_factory=dict, hash=False, compare=False)  # for the analysis

    @property
    def name(self):
        return f"{self.series}-{self.label}-{self.seed}".replace("/", "_")


def experiment(quick=False):
    """The runs of `run/experiment`."""
    runs = []

    def add(series, label, input, seeds, settings=(), **values):
        settings = (ENGINE, *settings)
        runs.extend(Run(series, label, input, seed, settings, values) for seed in range(1, seeds + 1))

    for stiffness in QUICK_STIFFNESSES if quick else STIFFNESSES:
        mismatch = PULL_GPA / stiffness
        settings = (f"protocol[0].stiffness_GPa={stiffness}", f"protocol[0].mismatch_strain={mismatch:.6g}")
        add("onchip", f"{stiffness:g}", "onchip.cfg", 2 if quick else 6, settings, stiffness_GPa=stiffness)
    add("tension", "film", "tension.cfg", 3 if quick else 24)
    for temperature in (TEMPERATURES[1],) if quick else TEMPERATURES:
        for rate in RATES + ((INDENTATION_RATE,) if temperature == 295.0 else ()):
            settings = (
                f"protocol[0].rate_per_s={rate}",
                f"protocol[0].temperature_K={temperature}",
                "output.nbed_strains=[]",
            )
            label = f"{temperature:g}K-{rate:g}"
            add("flow", label, "tension.cfg", 1 if quick else 3, settings, temperature_K=temperature, rate_per_s=rate)
    add("jump", "film", "rate-jump.cfg", 2 if quick else 6)
    add("repeated", "film", "repeated.cfg", 2 if quick else 6)
    for softening in (0.0, SOFTENING_EV):
        for structure, settings in STRUCTURES.items():
            if softening == 0.0 and (quick or structure == "domains"):
                continue  # `tension` has it
            chosen = (*settings, f"barriers.softening_eV={softening}", "output.nbed_strains=[]")
            label = f"{structure}-{softening:g}eV"
            add("band", label, "tension.cfg", 2 if quick else 6, chosen, structure=structure, softening_eV=softening)
    return runs


def carry_out(runs, program, inputs, directory, jobs, say=print):
    """Runs what is not there yet. A finished run of the same command is kept, an interrupted one goes on from its
    checkpoint; one whose command has changed is made anew. Returns {name: path} of the complete ones; raises when any
    failed, naming the first."""
    folder = os.path.join(directory, "runs")
    os.makedirs(folder, exist_ok=True)
    lock, done, failed = threading.Lock(), {}, []

    def one(run):
        path = os.path.join(folder, run.name + ".h5")
        record = _record(run, inputs)
        command = [program, "run", os.path.join(inputs, run.input), "-q", "-o", path, "--seed", str(run.seed)]
        for setting in run.settings:
            command += ["--set", setting]
        same = _read(path + ".json") == record
        finished = subprocess.run(command + ["--restart" if same else "--force"], capture_output=True, text=True)
        if finished.returncode == 2 and same:  # made by another version of the program
            finished = subprocess.run(command + ["--force"], capture_output=True, text=True)
        with lock:
            if finished.returncode != 0:
                failed.append(f"{run.name}: exit {finished.returncode}: {finished.stderr.strip() or 'no message'}")
                return
            with writing.text(path + ".json") as file:
                json.dump(record, file)
            done[run.name] = path
            say(f"{len(done)} of {len(runs)}: {run.name}")

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        list(pool.map(one, runs))
    if failed:
        raise StzPostError(f"{len(failed)} of {len(runs)} runs failed, the first: {failed[0]}")
    return done


def model_values(inputs, names, model="zr65ni35.cfg"):
    """{path of a key: its number} as the model beside the inputs gives it."""
    text, found = _text(os.path.join(inputs, os.pardir, "models", model)), {}
    for name in names:
        match = re.search(rf"^\s*{re.escape(name.split('.')[-1])}\s*=\s*([-+.\deE]+)", text, re.MULTILINE)
        if not match:
            raise StzPostError(f"{model}: no {name}")
        found[name] = float(match[1])
    return found


def progress(text):
    """Writes a line of progress to stderr."""
    print(text, file=sys.stderr, flush=True)


def _record(run, inputs):
    """What a result depends on: the run and the texts that it reads."""
    texts = [_text(os.path.join(inputs, run.input))]
    for model in re.findall(r'^\s*model\s*=\s*"([\w.-]+)"', texts[0], re.MULTILINE):
        texts.append(_text(os.path.join(inputs, os.pardir, "models", model + ".cfg")))
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(run).items()} | {
        "inputs": digest
    }


def _text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
