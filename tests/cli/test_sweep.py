#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps: what a run is depends on its number alone; nothing is lost and nothing done twice, whatever is killed."""
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import h5py

from harness import MPIRUN, PROGRAM, SOURCE, expect, expect_failure, finish, napping, read, run, stop, write

SHORT = """
input = "%s";
set = [ "lattice.cells=[16,16,16]", "protocol[0].until_strain=0.06", "nbed.foil_nm=9.0", "output.nbed_strains=[0.0]",
  "output.history_strain_step=0.01", "output.history_points_per_decade=1" ];
axes = (
  { key = "barriers.width_eV"; values = [0.05, 0.1]; },
  { key = "barriers.composition_eV"; from = 0.0; to = 0.4; count = 3; }
);
replicas = 2;
seed = 7;
""" % os.path.join(SOURCE, "inputs", "tension.cfg")


def sweep(folder, arguments, ranks=1, **more):
    return run(["sweep", "s.cfg"] + arguments, ranks, cwd=folder, **more)


def manifest(directory):
    """Header, runs with the last of each field, and how often each was done; all lines must be whole."""
    header, runs, done = None, {}, {}
    for line in read(os.path.join(directory, "manifest.jsonl")).decode().splitlines():
        entry = json.loads(line)
        if header is None:
            header = entry
            continue
        runs.setdefault(entry["run"], {}).update(entry)
        done[entry["run"]] = done.get(entry["run"], 0) + (entry["state"] == "done")
    return header, runs, done


def hashes(directory):
    return {number: entry.get("state_hash") for number, entry in manifest(directory)[1].items()}


def expect_complete(name, directory, reference):
    _, runs, done = manifest(directory)
    expect(f"{name}: hashes", hashes(directory) == reference, hashes(directory))
    expect(f"{name}: each done once", all(count == 1 for count in done.values()), done)
    for number, entry in runs.items():
        with h5py.File(os.path.join(directory, entry["file"])) as file:
            expect(f"{name}: run {number}", file.attrs["state_hash"] == entry["state_hash"]
                   and file.attrs["complete"] == 1 and file.attrs["seed"] == entry["seed"])


def check_splittings(folder):
    """One rank, two, groups of two, groups of unequal size, shards, two jobs at once, `run` by hand: the same runs."""
    done = sweep(folder, ["-o", "one"])
    expect("one rank", done.returncode == 0, done.stderr)
    one = os.path.join(folder, "one")
    header, runs, _ = manifest(one)
    reference = hashes(one)
    expect("all runs differ", len(set(reference.values())) == 12 and None not in reference.values(), reference)
    expect("seeds", len({entry["seed"] for entry in runs.values()}) == 12)
    expect("header", header["format"] == "stzkmc-sweep" and [axis["unit"] for axis in header["axes"]] == ["eV", "eV"]
           and [d["size"] for d in header["dimensions"]] == [2, 3], header)
    expect("parameters", runs[9]["parameters"] == {"width_eV": 0.1, "composition_eV": 0.2} and runs[9]["replica"] == 1
           and runs[9]["index"] == [1, 1], runs[9])
    for ranks, more in ((2, []), (4, ["--ranks-per-run", "2"]), (3, ["--ranks-per-run", "2"])):
        name = f"{ranks} ranks" + "".join(more)
        done = sweep(folder, ["-o", name, "-q"] + more, ranks)
        expect(name, done.returncode == 0, done.stderr)
        expect_complete(name, os.path.join(folder, name), reference)
    for shard in range(3):
        done = sweep(folder, ["-o", "shards", "-q", "--resume", "--shard", f"{shard}/3"])
        expect(f"shard {shard}", done.returncode == 0, done.stderr)
    expect_complete("shards", os.path.join(folder, "shards"), reference)
    jobs = [subprocess.Popen([PROGRAM, "sweep", "s.cfg", "-o", "both", "--resume"], cwd=folder, stderr=subprocess.PIPE,
                             text=True) for _ in range(2)]
    for job in jobs:
        _, said = job.communicate(timeout=960)
        expect("two jobs at once", job.returncode == 0, said)
    expect_complete("two jobs at once", os.path.join(folder, "both"), reference)

    settings = ["lattice.cells=[16,16,16]", "protocol[0].until_strain=0.06", "nbed.foil_nm=9.0",
                "output.nbed_strains=[0.0]", "output.history_strain_step=0.01", "output.history_points_per_decade=1",
                "barriers.width_eV=0.1", "barriers.composition_eV=0.2"]
    done = run(["run", os.path.join(SOURCE, "inputs", "tension.cfg"), "-o", os.path.join(folder, "alone.h5"), "-q",
                "--seed", str(runs[9]["seed"])] + [word for setting in settings for word in ("--set", setting)])
    with h5py.File(os.path.join(folder, "alone.h5")) as file:
        expect("the run by hand", done.returncode == 0 and file.attrs["state_hash"] == reference[9], done.stderr)
    return reference


def check_list(folder):
    done = sweep(folder, ["-o", "one", "--list", "--only", "2-3,11"])
    lines = [line.split() for line in done.stdout.splitlines()]
    expect("list", [line[:3] for line in lines[1:]] == [["2", "done", "1"], ["3", "done", "1"], ["11", "done", "1"]]
           and lines[0][-2:] == ["width_eV", "composition_eV"] and lines[3][-2:] == ["0.1", "0.4"], done.stdout)
    done = sweep(folder, ["-o", "few", "-q", "--only", "4,7"])
    expect("only", done.returncode == 0 and [number for number, entry in manifest(os.path.join(folder, "few"))[1].items()
                                             if entry["state"] == "done"] == [4, 7], done.stderr)
    done = sweep(folder, ["-o", "few", "--dry-run"], 2)
    said = dict(line.split(": ") for line in done.stdout.splitlines())
    expect("dry run", said["runs"] == "12" and said["runs_left"] == "10" and said["groups"] == "2"
           and float(said["disk_MB"]) > 0.5 and 0 < float(said["wall_s"]) < 100, done.stdout)
    done = sweep(folder, ["-o", "few"])
    expect_failure("a sweep is there", done, 3, "few: holds a sweep already; --resume goes on with it, --force replaces it")
    before = hashes(os.path.join(folder, "one"))
    done = sweep(folder, ["-o", "one", "--resume"])
    expect("nothing left", done.returncode == 0 and "12 done before, 0 now" in done.stderr
           and hashes(os.path.join(folder, "one")) == before, done.stderr)


def wait_for_a_run(directory, job):
    """Until the job has begun one more run."""
    path = os.path.join(directory, "manifest.jsonl")

    def begun():
        return read(path).count(b'"running"') if os.path.exists(path) else 0

    before, end = begun(), time.monotonic() + 480
    while begun() == before and job.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


def check_kills(folder, reference):
    """SIGKILL of the whole job at ten random instants; then to the end. The manifest can be read at any time."""
    chance = random.Random(11)
    directory = os.path.join(folder, "killed")
    caught = 0
    for i in range(10):
        ranks = 1 + i % 2
        launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
        job = subprocess.Popen(launch + [PROGRAM, "sweep", "s.cfg", "-o", directory, "--resume"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               env=napping(0.002))
        if i % 3 == 0:  # stopped as a run begins: the kill comes in time, however fast the machine
            wait_for_a_run(directory, job)
            job.send_signal(signal.SIGSTOP)
        else:  # at any time, that of starting up included
            time.sleep(chance.uniform(0.05, 0.6))
        for line in subprocess.run(["pgrep", "-f", re.escape(directory)], capture_output=True, text=True,
                                   check=False).stdout.split():
            try:
                os.kill(int(line), signal.SIGKILL)
            except ProcessLookupError:
                pass
        job.wait()
        if os.path.exists(os.path.join(directory, "manifest.jsonl")):
            text = read(os.path.join(directory, "manifest.jsonl")).decode()
            whole = [json.loads(line) for line in text.split("\n")[:-1] if line.endswith("}")]
            expect(f"manifest after kill {i}", len(whole) >= 13, len(whole))
            last = {line["run"]: line["state"] for line in whole[1:] if "state" in line}
            caught += "running" in last.values()
    expect("some were killed", caught > 0, "no run was under way")
    with open(os.path.join(directory, "manifest.jsonl"), "a", encoding="utf-8") as file:
        file.write('{"run":3,"state":"done","attem')  # what a crash of the machine may leave
    done = sweep(folder, ["-o", directory, "--resume"], 2)
    expect("end after kills", done.returncode == 0, done.stderr)
    lines = read(os.path.join(directory, "manifest.jsonl")).decode().splitlines()
    expect("one torn line", sum(not line.endswith("}") for line in lines) == 1)
    write(os.path.join(directory, "manifest.jsonl"), "".join(line + "\n" for line in lines if line.endswith("}")))
    expect_complete("killed", directory, reference)


def check_torn_line(folder):
    """What a crash leaves of a line in the manifest is closed before the next line, which can be read."""
    path, torn = os.path.join(folder, "line", "manifest.jsonl"), '{"run":3,"state":"done","attem'
    done = sweep(folder, ["-o", "line", "-q", "--only", "0"])
    expect("before a torn line", done.returncode == 0, done.stderr)
    with open(path, "a", encoding="utf-8") as file:
        file.write(torn)
    done = sweep(folder, ["-o", "line", "-q", "--resume", "--only", "1"])
    lines = read(path).decode().splitlines()
    expect("a torn line", done.returncode == 0 and [line for line in lines if not line.endswith("}")] == [torn], lines)
    later = [json.loads(line) for line in lines[lines.index(torn) + 1:]] if torn in lines else []
    expect("behind it", [(entry["run"], entry["state"]) for entry in later] == [(1, "running"), (1, "done")], later)


HOLDER = """import fcntl, sys, time
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX, 1, 1 << 40)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def check_held_append(folder):
    """A process that was stopped within an append: it is named; waited for; in the end there is an error, and --resume
    finds the run done."""
    path = os.path.join(folder, "held", "manifest.jsonl")
    done = sweep(folder, ["-o", "held", "-q", "--only", "0"])
    expect("before it is held", done.returncode == 0, done.stderr)
    for seconds, code in ((4, 0), (600, 3)):
        holder = subprocess.Popen(["/usr/bin/python3", "-c", HOLDER, path, str(seconds)], stdout=subprocess.PIPE)
        holder.stdout.readline()
        done = sweep(folder, ["-o", "held", "-q", "--resume", "--only", "2" if code == 0 else "3"])
        expect(f"held for {seconds} s", done.returncode == code and
               f"held/manifest.jsonl: process {holder.pid} holds it, stopped perhaps; waiting for 20 s" in done.stderr,
               f"exit {done.returncode}: {done.stderr}")
        if code:
            expect("held for good", f"process {holder.pid} has held it for " in done.stderr and
                   "may be stopped; go on with --resume when it is over" in done.stderr, done.stderr)
        holder.kill()
        holder.wait()
    done = sweep(folder, ["-o", "held", "--resume", "--only", "3"])
    expect("then it goes on", done.returncode == 0 and manifest(os.path.join(folder, "held"))[1][3]["state"] == "done",
           done.stderr)


def check_link(folder):
    """A run's file that is a link is written where it leads."""
    directory = os.path.join(folder, "linked")
    os.makedirs(os.path.join(directory, "runs"))
    os.makedirs(os.path.join(folder, "disk"))
    os.symlink("../../disk/far.h5", os.path.join(directory, "runs", "000000.h5"))
    done = sweep(folder, ["-o", "linked", "-q", "--only", "0,1"])
    expect("a linked run", done.returncode == 0 and os.listdir(os.path.join(folder, "disk")) == ["far.h5"] and
           os.path.islink(os.path.join(directory, "runs", "000000.h5")), done.stderr)
    os.remove(os.path.join(folder, "disk", "far.h5"))
    done = sweep(folder, ["-o", "linked", "-q", "--resume", "--only", "0,1"])
    expect("a linked run that is gone is done again", done.returncode == 0 and
           os.listdir(os.path.join(folder, "disk")) == ["far.h5"], done.stderr)


def first_run(job):
    """What a sweep says until its first run is done."""
    said = ""
    while "; run " not in said and (line := job.stderr.readline()):
        said += line
    return said


def stop_within(folder, directory):
    """Has the sweep stopped as soon as its manifest says that a run has begun: whether one was stopped before its end."""
    def lines(word):
        return read(os.path.join(directory, "manifest.jsonl")).count(b'"state":"%s"' % word)
    begun, stopped = lines(b"running"), lines(b"stopped")
    job = subprocess.Popen([PROGRAM, "sweep", "s.cfg", "-o", directory, "--resume", "-q"], cwd=folder,
                           stderr=subprocess.PIPE, text=True)
    while lines(b"running") == begun and job.poll() is None:
        time.sleep(0.001)
    job.send_signal(signal.SIGTERM)
    said = job.communicate()[1]
    expect("stopped within a run", job.returncode in (0, 75), f"exit {job.returncode}: {said}")
    return lines(b"stopped") > stopped


def check_stops(folder, reference):
    """Stopped by the wall time and by each signal, between and within runs: exit 75, and the sweep goes on."""
    directory = os.path.join(folder, "stopped")
    for i in range(8):  # each lets a run begin and stops it
        done = stop(["sweep", "s.cfg", "-o", directory, "--resume"], 100 + 25 * i, 1, folder)
        expect("walltime", done.returncode == 75 and "go on with --resume" in done.stderr, done.stderr)
    for name in signal.SIGTERM, signal.SIGINT, signal.SIGUSR1:
        job = subprocess.Popen([PROGRAM, "sweep", "s.cfg", "-o", directory, "--resume"], cwd=folder,
                               stderr=subprocess.PIPE, text=True, env=napping(0.002))
        said = first_run(job)
        job.send_signal(name)
        said += job.stderr.read()
        expect(name.name, job.wait(timeout=480) == 75, f"exit {job.returncode}: {said}")
    for _ in range(6):  # runs take milliseconds, and the machine may have other things to do
        if stop_within(folder, directory):
            break
    done = sweep(folder, ["-o", directory, "--resume"])
    expect("end after stops", done.returncode == 0, done.stderr)
    expect_complete("stopped", directory, reference)
    expect("some went on from a checkpoint", any(entry["attempts"] > 1 for entry in manifest(directory)[1].values()))
    expect("no checkpoint is left", not [name for name in os.listdir(directory + "/runs") if "ckpt" in name])


def check_stop_in_a_look(folder):
    """A signal to the second rank while it looks whether there is one, in the set-up of a run: the first rank stops too."""
    for look in 2, 3:
        call = [MPIRUN, "--bind-to", "none", "-n", "2", PROGRAM, "sweep", "s.cfg", "-o", "looks", "--force"]
        done = subprocess.run(call, cwd=folder, env=dict(napping(0.002), STZ_CLOCK_PROBE=str(look)), capture_output=True,
                              text=True, check=False)
        ended = done.stderr.count(" done after ")
        expect(f"signal in look {look}", done.returncode == 75 and ended < 8, f"exit {done.returncode}: {done.stderr}")


def check_failures(folder, reference):
    """A run that cannot write, a result that is damaged or gone, a full disk: named, and the rest goes on."""
    directory = os.path.join(folder, "failing")
    os.makedirs(os.path.join(directory, "runs", "000001.h5"))
    write(os.path.join(folder, "s.cfg"), SHORT)
    done = sweep(folder, ["-o", "failing", "-q"], 2)
    message = "failing/runs/000001.h5: not a readable HDF5 file"
    ours = [line for line in done.stderr.splitlines() if line.startswith("stzkmc:")]
    expect("a failing run", done.returncode == 3 and len(ours) == 1
           and ours[0].startswith("stzkmc: failing: 1 of 12 runs failed, the first is run 1: failing/runs/000001.h5: "),
           done.stderr)
    _, runs, _ = manifest(directory)
    expect("the rest went on", [number for number in runs if runs[number]["state"] == "failed"] == [1], message)
    expect("it is named", "000001.h5" in runs[1]["message"], runs[1])
    os.rmdir(os.path.join(directory, "runs", "000001.h5"))
    write(os.path.join(directory, "runs", "000005.h5"), read(os.path.join(directory, "runs", "000005.h5"))[:5000])
    os.remove(os.path.join(directory, "runs", "000006.h5"))
    done = sweep(folder, ["-o", "failing", "--resume"])
    expect("a damaged result", done.returncode == 3 and "remove it to have run 5 again" in done.stderr
           and "9 done before, 2 now, 1 failed" in done.stderr, done.stderr)
    expect("it is kept", len(read(os.path.join(directory, "runs", "000005.h5"))) == 5000)
    os.remove(os.path.join(directory, "runs", "000005.h5"))
    done = sweep(folder, ["-o", "failing", "--resume"])
    expect("mended", done.returncode == 0 and hashes(directory) == reference, done.stderr)
    with h5py.File(os.path.join(directory, "runs", "000007.h5"), "r+") as file:
        file.attrs.modify("complete", 0)
    done = sweep(folder, ["-o", "failing", "--resume"])
    expect("a result of a run that stopped", done.returncode == 3 and "runs/000007.h5: not complete, though the run was "
           "done; remove it to have run 7 again" in done.stderr and "11 done before, 0 now, 1 failed" in done.stderr, done.stderr)

    def on_a_small_disk(name, least):
        """Once the first run is done, no file may grow beyond what `least` says; what the rest comes to."""
        job = subprocess.Popen([PROGRAM, "sweep", "s.cfg", "-o", "full", "--resume"], cwd=folder, text=True,
                               stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                               env=napping(0.002))
        first = first_run(job)
        resource.prlimit(job.pid, resource.RLIMIT_FSIZE, (least(), resource.RLIM_INFINITY))
        said = job.stderr.read()
        expect(name, job.wait(timeout=960) == 3 and " done after " in first and "cannot write: File too large" in said
               and re.search(r"^stzkmc: full: \d+ of 12 runs failed, the first is run \d+: full/runs/\d+.h5: ", said, re.M),
               said)
        return said

    on_a_small_disk("no room for results", lambda: 30_000)
    said = on_a_small_disk("no room for the manifest", lambda: os.path.getsize(
        os.path.join(folder, "full", "manifest.jsonl")) + 300)
    expect("the manifest is named", "warning: full/manifest.jsonl: cannot be written" in said, said)
    text = read(os.path.join(folder, "full", "manifest.jsonl")).decode()
    expect("no line is torn", all(line.endswith("}") for line in text.splitlines()))
    done = sweep(folder, ["-o", "full", "-q", "--resume"])
    expect("room again", done.returncode == 0, done.stderr)
    expect_complete("room again", os.path.join(folder, "full"), reference)


def check_changes(folder):
    """What was changed since is refused, whatever it is; --force begins anew."""
    other = os.path.join(folder, "other")
    os.makedirs(os.path.join(folder, "in"))
    write(os.path.join(folder, "in", "base.cfg"), read(os.path.join(SOURCE, "inputs", "tension.cfg")))
    shutil.copytree(os.path.join(SOURCE, "models"), os.path.join(folder, "models"))
    text = SHORT.replace(os.path.join(SOURCE, "inputs", "tension.cfg"), "in/base.cfg").replace(
        '"barriers.width_eV"; values = [0.05, 0.1]', '"model"; values = ["zr65ni35", "zr65ni35-uniform"]')
    write(os.path.join(folder, "c.cfg"), text)
    start = run(["sweep", "c.cfg", "-o", "other", "-q", "--only", "0"], cwd=folder)
    expect("a sweep over models", start.returncode == 0, start.stderr)

    def refused(name, message):
        before = read(os.path.join(other, "manifest.jsonl"))
        done = run(["sweep", "c.cfg", "-o", "other", "--resume"], cwd=folder)
        expect_failure(name, done, 2, "other/manifest.jsonl: of another input: " + message)
        expect(name + ": untouched", read(os.path.join(other, "manifest.jsonl")) == before)

    write(os.path.join(folder, "c.cfg"), text.replace("count = 3", "count = 4"))
    refused("another axis", "it has `points = 6;`, this one `points = 8;`")
    write(os.path.join(folder, "c.cfg"), text.replace("0.06", "0.05"))
    refused("another setting", "it has `protocol[0].until_strain = 0.06;`, this one `protocol[0].until_strain = 0.05;`")
    write(os.path.join(folder, "c.cfg"), text)
    model = os.path.join(folder, "models", "zr65ni35-uniform.cfg")
    kept = read(model)
    write(model, kept.replace(b"gamma0 = 0.115", b"gamma0 = 0.116"))
    expect("the model is changed", read(model) != kept)
    refused("another model of a later run", "that of run 6 has changed since")
    write(model, kept)
    done = run(["sweep", "c.cfg", "-o", "other", "--resume", "--only", "0,6", "-q"], cwd=folder)
    expect("as before", done.returncode == 0, done.stderr)
    write(os.path.join(folder, "c.cfg"), text.replace("0.06", "0.05"))
    odd = os.path.join(other, "runs", "000002.h5")
    os.makedirs(odd)
    done = run(["sweep", "c.cfg", "-o", "other", "--force", "--only", "1"], cwd=folder)
    expect_failure("what cannot be removed", done, 3, "other/runs/000002.h5: cannot be removed: Is a directory")
    os.rmdir(odd)
    done = run(["sweep", "c.cfg", "-o", "other", "--force", "--only", "1", "-q"], cwd=folder)
    expect("force", done.returncode == 0 and os.listdir(os.path.join(other, "runs")) == ["000001.h5"], done.stderr)


def check_designs(folder):
    """Listed values are the design's; a zipped group goes along; replicas with common seeds share them."""
    studies = os.path.join(SOURCE, "inputs", "sweeps")
    for name in sorted(os.listdir(studies)):
        done = run(["sweep", os.path.join(studies, name), "--dry-run"], cwd=folder)
        expect(f"the study {name}", done.returncode == 0 and "\nruns_left: " in done.stdout, done.stderr)
    text = SHORT.replace("axes = (", 'design = "sobol"; points = 4; seeds = "common";\naxes = (').replace("; count = 3", "")
    write(os.path.join(folder, "d.cfg"), text)
    rows = [line.split() for line in run(["sweep", "d.cfg", "--list"], cwd=folder).stdout.splitlines()[1:]]
    values = sorted(float(row[-1]) for row in rows[::2])
    expect("sobol", len(rows) == 8 and [int(v / 0.1) for v in values] == [0, 1, 2, 3], rows)
    expect("sobol of a list", sorted(row[-2] for row in rows[::2]) == ["0.05", "0.05", "0.1", "0.1"], rows)
    done = run(["sweep", "d.cfg", "-o", "d", "-q", "--only", "0"], cwd=folder)
    seeds = [entry["seed"] for entry in manifest(os.path.join(folder, "d"))[1].values()]
    expect("common seeds", done.returncode == 0 and seeds == seeds[:2] * 4 and seeds[0] != seeds[1], seeds)


def check_seeds(folder):
    """Seeds that the sweep file gives: those of a list at every point, or from `seed` upwards; `run` with the same seed
    gives the same run. A sweep with other seeds is another one."""
    largest = 2**53 - 1

    def seeds_of(name, seeds):
        write(os.path.join(folder, "l.cfg"), SHORT.replace("replicas = 2;\nseed = 7;", seeds))
        done = run(["sweep", "l.cfg", "-o", name, "-q", "--only", "1", "--resume"], cwd=folder)
        return done, [entry["seed"] for entry in manifest(os.path.join(folder, name))[1].values()]

    done, seeds = seeds_of("listed", f"seeds = (3, 7, {largest}L);")
    expect("listed seeds", done.returncode == 0 and seeds == [3, 7, largest] * 6, f"{done.stderr} {seeds}")
    hash_of_run = hashes(os.path.join(folder, "listed"))[1]
    settings = SHORT.split("[ ", 1)[1].split(" ]", 1)[0].replace("\n", "").split('"')[1::2]
    more = [word for one in settings + ["barriers.width_eV=0.05", "barriers.composition_eV=0.0"] for word in ("--set", one)]
    run(["run", os.path.join(SOURCE, "inputs", "tension.cfg"), "-o", "seven.h5", "-q", "--seed", "7"] + more, cwd=folder)
    with h5py.File(os.path.join(folder, "seven.h5")) as file:
        expect("the run of a listed seed by hand", file.attrs["state_hash"] == hash_of_run)
    expect_failure("other seeds", seeds_of("listed", "seeds = [3, 7, 8];")[0], 2, "listed/manifest.jsonl: of another "
                   f"input: it has `seeds = 3, 7, {largest};`, this one `seeds = 3, 7, 8;`")
    done, seeds = seeds_of("numbered", 'seeds = "consecutive"; replicas = 2; seed = 4;')
    expect("consecutive seeds", done.returncode == 0 and seeds == list(range(4, 16)), f"{done.stderr} {seeds}")


BAD = [  # what is replaced, by what, the message
    ("replicas = 2", "replicas = 0", "s.cfg:9: replicas: got 0, needs an integer from 1 to 1000000"),
    ("replicas = 2", "replica = 2", "s.cfg:9: replica: unknown key, needs input, set, axes, design, points, replicas, "
     "seed or seeds"),
    ("seed = 7", "seed = -7", "s.cfg:10: seed: got -7, needs an integer >= 0"),
    ("seed = 7", 'seeds = "equal"', 's.cfg:10: seeds: got "equal", needs "independent", "common", "consecutive" or an '
     "array of seeds"),
    ("seed = 7", "seeds = [1, 2]", "s.cfg:9: replicas: got 2, needs none beside a list of seeds, which has one for each"),
    ("replicas = 2;", "seeds = [1, 2, 1];", "s.cfg:9: seeds[2]: got 1, needs a seed that is not listed before"),
    ("replicas = 2;", "seeds = [1, -2];", "s.cfg:9: seeds[1]: got -2, needs an integer >= 0 and below 2^53"),
    ("replicas = 2;", "seeds = (1, 9007199254740992L);", "s.cfg:9: seeds[1]: got 9007199254740992, needs an integer >= 0 "
     "and below 2^53"),
    ("replicas = 2;", "seeds = [];", "s.cfg:9: seeds: got a list of 0, needs an array of 1 to 10000 seeds"),
    ("seed = 7", 'seeds = "consecutive"; seed = 9007199254740991L', "s.cfg:10: seed: got 9007199254740991, needs an "
     "integer from 0 to 9007199253740991"),
    ("seed = 7", 'design = "sobol"', "s.cfg:1: points: got nothing, needs the number of points"),
    ("seed = 7", "points = 7", "s.cfg:10: points: got 7, needs none in a grid"),
    ("[0.05, 0.1]", "[]", "s.cfg:6: axes[0].values: got a list of 0, needs an array [ ... ] or list ( ... ) of at least "
     "one value"),
    ("[0.05, 0.1]", "[0.05, -0.1]", "s.cfg:6: barriers.width_eV: got -0.1, needs >= 0 and <= 5"),
    ("[0.05, 0.1]", '["wide"]', 's.cfg:6: barriers.width_eV: got "wide", needs a number >= 0 and <= 5'),
    ("barriers.width_eV", "barriers.widht_eV", 's.cfg:6: axes[0].key: got "barriers.widht_eV", which is no key of the '
     "input; the nearest is barriers.width_eV"),
    ("barriers.width_eV", "run.seed", 's.cfg:6: axes[0].key: got "run.seed", needs another key: `seed` and `replicas` '
     "of the sweep give each run its seed"),
    ("barriers.width_eV", "barriers.composition_eV", 's.cfg:7: axes[1].key: got "barriers.composition_eV" again, needs a '
     "key that no other axis has"),
    ("[0.05, 0.1];", '[0.05, 0.1]; name = "composition_eV";', 's.cfg:7: axes[1].name: got "composition_eV" again, needs '
     "a name that no other axis or zipped group has"),
    ("[0.05, 0.1];", '[0.05, 0.1]; name = "row";', 's.cfg:6: axes[0].name: got "row", needs another name (`name` gives '
     "it): the sweep has one of its own"),
    ("[0.05, 0.1];", "[0.05, 0.1]; count = 2;", "s.cfg:6: axes[0].count: got 2, needs none beside `values`"),
    ("count = 3", "count = 1", "s.cfg:7: axes[1].count: got 1, needs an integer from 2 to 1000000"),
    ("count = 3", 'count = 3; scale = "log"', 's.cfg:7: axes[1].from: got 0.0, needs a number > 0, as the scale is "log"'),
    ("from = 0.0; ", "", "s.cfg:7: axes[1].from: got nothing, needs a number, or `values` instead of a range"),
    ("[0.05, 0.1];", '[0.05, 0.1]; zip = "both";', ""),
    ("lattice.cells=[16,16,16]", "lattice.cells=[16,16]", "s.cfg:3: lattice.cells: got a list of 2, needs three "
     "multiples of 8 [nx, ny, nz], each >= 8 and <= 1024"),
    ("lattice.cells=[16,16,16]", "lattice.cells", "s.cfg:3: got `lattice.cells`, needs path=value"),
    ("count = 3", "count = 900000", "s.cfg: got 1800000 points of 2 replicas, needs at most 1000000 runs"),
]


def check_bad_input(folder):
    for old, new, message in BAD:
        write(os.path.join(folder, "s.cfg"), SHORT.replace(old, new, 1))
        done = sweep(folder, ["-o", "bad"])
        if message:
            expect_failure(message[:40], done, 2, message)
        else:
            expect("zip of one", done.returncode == 0, done.stderr)
            shutil.rmtree(os.path.join(folder, "bad"))
        expect("nothing is left", not os.path.exists(os.path.join(folder, "bad")))
    write(os.path.join(folder, "s.cfg"), SHORT.replace(" count = 3;", ' count = 3; zip = "z";').replace(
        "[0.05, 0.1];", '[0.05, 0.1]; zip = "z";'))
    expect_failure("zip of unequal", sweep(folder, []), 2,
                   's.cfg:7: axes[1].zip: got 3 values beside the 2 of axes[0], needs as many as all axes of "zip" have')
    write(os.path.join(folder, "s.cfg"), SHORT)
    for arguments, message in (
            (["--shard", "3/3"], "--shard: got `3/3`, needs i/n with i from 0 to n-1"),
            (["--shard", "x"], "--shard: got `x`, needs i/n with i from 0 to n-1"),
            (["--ranks-per-run", "0"], "--ranks-per-run: got `0`, needs an integer > 0"),
            (["--ranks-per-run", "2"], "--ranks-per-run: got 2, needs at most the number of ranks, 1"),
            (["-o", "bad", "--only", "12"], "--only: got `12`, needs runs from 0 to 11, as 0,3,10-19"),
            (["-o", "bad", "--only", "3-1"], "--only: got `3-1`, needs runs from 0 to 11, as 0,3,10-19"),
            (["--restart"], "--restart: unknown option of `stzkmc sweep`, see stzkmc sweep --help; `stzkmc run` has it")):
        expect_failure(" ".join(arguments), sweep(folder, arguments), 2, message)
        shutil.rmtree(os.path.join(folder, "bad"), ignore_errors=True)
    expect_failure("no such folder", sweep(folder, ["-o", "/proc/none/x"]), 3,
                   "/proc/none/x: cannot be made: the folder that it is to lie in is not there; make it first")
    expect_failure("no sweep file", run(["sweep", "none.cfg"], cwd=folder), 3,
                   "none.cfg: cannot be opened: No such file or directory")
    write(os.path.join(folder, "astray.cfg"), 'seed = 1;\ninput = "inputs/none.cfg";\n'
          'axes = ( { key = "barriers.width_eV"; values = [0.1]; } );\n')
    expect_failure("no input", run(["sweep", "astray.cfg"], cwd=folder), 3,
                   "astray.cfg:2: input: inputs/none.cfg: cannot be opened: No such file or directory")
    os.makedirs(os.path.join(folder, "bad"))
    write(os.path.join(folder, "bad", "manifest.jsonl"), "{}\n")
    expect_failure("no manifest", sweep(folder, ["-o", "bad", "--resume"]), 3,
                   "bad/manifest.jsonl:1: not the manifest of a sweep")


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "s.cfg"), SHORT)
        reference = check_splittings(folder)
        check_list(folder)
        check_kills(folder, reference)
        check_torn_line(folder)
        check_held_append(folder)
        check_link(folder)
        check_stops(folder, reference)
        check_stop_in_a_look(folder)
        check_failures(folder, reference)
        check_changes(folder)
        check_designs(folder)
        check_seeds(folder)
        check_bad_input(folder)
    finish()


main()
