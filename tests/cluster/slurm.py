#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of run/slurm in a SLURM of our own: one node, this machine, with its own key, ports and folders. A sweep
that was killed, requeued, and stopped at its time limit is the sweep that was never disturbed, hash by hash. Exit 77
without root and if SLURM does not start here.

Called as: slurm.py PROGRAM SOURCE_DIR"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM, SOURCE = sys.argv[1:3]
SWEEP = """
input = "%s";
set = [ "lattice.cells=[24,24,24]", "protocol[0].until_strain=0.07", "nbed.foil_nm=9.0", "output.nbed_strains=[0.0]",
  "output.history_strain_step=0.01", "run.checkpoint_every_wall_s=0.5" ];
axes = ( { key = "barriers.width_eV"; from = 0.06; to = 0.12; count = 6; } );
""" % os.path.join(SOURCE, "inputs", "tension.cfg")
CONF = """
ClusterName=stzkmc-test
SlurmctldHost={host}
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
AuthType=auth/munge
AuthInfo=socket={top}/munge.socket,cred_expire=5
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={top}/state
SlurmdSpoolDir={top}/spool
SlurmctldPidFile={top}/slurmctld.pid
SlurmdPidFile={top}/slurmd.pid
SlurmctldLogFile={top}/slurmctld.log
SlurmdLogFile={top}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=3
MinJobAge=600
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={host} CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def free_port():
    with socket.socket() as listener:
        listener.bind(("", 0))
        return listener.getsockname()[1]


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.2)


@contextlib.contextmanager
def slurm(top):
    """Starts munged, slurmctld and slurmd, and ends them; skips where they do not start."""
    for program in "munged", "slurmctld", "slurmd", "sbatch", "scontrol":
        if not shutil.which(program):
            sys.exit(f"no {program} (run/setup --full)")
    if os.geteuid() != 0:
        skip("slurmd needs root")
    host = socket.gethostname().split(".")[0]
    for folder in "state", "spool":
        os.makedirs(os.path.join(top, folder))
    key = os.path.join(top, "munge.key")
    with open(key, "wb") as file:
        file.write(os.urandom(128))
    os.chmod(key, 0o600)
    conf = os.path.join(top, "slurm.conf")
    with open(conf, "w", encoding="ascii") as file:
        file.write(CONF.format(host=host, top=top, ctld_port=free_port(), d_port=free_port()))
    os.environ["SLURM_CONF"] = conf
    daemons = []

    def start(*command):
        with open(os.path.join(top, command[0] + ".out"), "wb") as out:
            daemons.append(subprocess.Popen(command, stdout=out, stderr=out))

    try:
        start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={top}/munge.socket",
              f"--pid-file={top}/munge.pid", f"--seed-file={top}/munge.seed", f"--log-file={top}/munge.log")
        until(lambda: os.path.exists(f"{top}/munge.socket"), 10, "munged")
        start("slurmctld", "-D", "-i", "-f", conf)
        start("slurmd", "-D", "-f", conf)
        until(lambda: "idle" in ask("sinfo", "-h", "-o", "%t"), 30, "slurmctld and slurmd")
        subprocess.run(["sbatch", "--version"], check=True, stdout=subprocess.DEVNULL)
    except (TimeoutError, OSError) as error:
        end(daemons)
        for name in "slurmctld.log", "slurmd.log", "munge.log":
            with contextlib.suppress(OSError), open(os.path.join(top, name), encoding="utf-8") as file:
                print("".join(file.readlines()[-5:]))
        skip(f"does not start: {error}")
    try:
        yield
    finally:
        subprocess.run(["scancel", "--user=root", "--signal=KILL", "--full"], check=False, stderr=subprocess.DEVNULL)
        time.sleep(1)
        end(daemons)


def end(daemons):
    for daemon in reversed(daemons):
        daemon.terminate()
        try:
            daemon.wait(timeout=10)
        except subprocess.TimeoutExpired:
            daemon.kill()


def ask(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def submit(top, script, *arguments, options=(), **more):
    environment = dict(os.environ, STZKMC_TOP=SOURCE, STZKMC=PROGRAM, **more)
    done = subprocess.run(["sbatch", "--parsable", "--chdir", top, *options,
                           os.path.join(SOURCE, "run", "slurm", script), *arguments],
                          cwd=top, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def states(job):
    """State and number of restarts of each task, those of the past included."""
    found = {}
    for block in ask("scontrol", "show", "job", job, "--oneliner").splitlines():
        fields = dict(word.split("=", 1) for word in block.split() if "=" in word)
        if "JobState" in fields:
            found[fields["JobId"]] = fields["JobState"], int(fields.get("Restarts", 0)), fields.get("ArrayTaskId", "")
    return found


def over(job):
    return all(state in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL") for state, _, _ in states(job).values())


def wait_over(job, top):
    try:
        until(lambda: over(job), 150, f"job {job}")
    except TimeoutError:
        print(states(job), logs(top))
        raise


def logs(top):
    text = ""
    for name in sorted(os.listdir(top)):
        if name.startswith("stzkmc") and name.endswith(".log"):
            with open(os.path.join(top, name), encoding="utf-8") as file:
                text += f"--- {name}\n{file.read()}"
    return text


def read_manifest(directory):
    runs, done = {}, {}
    with open(os.path.join(directory, "manifest.jsonl"), encoding="utf-8") as file:
        for line in file.readlines()[1:]:
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # torn by a kill
            runs.setdefault(entry["run"], {}).update(entry)
            done[entry["run"]] = done.get(entry["run"], 0) + (entry["state"] == "done")
    return runs, done


def any_under_way(directory, least_done=0):
    def condition():
        if not os.path.exists(os.path.join(directory, "manifest.jsonl")):
            return False
        runs, done = read_manifest(directory)
        return sum(done.values()) >= least_done and any(entry["state"] == "running" for entry in runs.values())

    return condition


def expect_equal(name, directory, reference):
    runs, done = read_manifest(directory)
    hashes = {number: entry.get("state_hash") for number, entry in runs.items()}
    assert hashes == reference, (name, hashes, reference)
    assert all(count == 1 for count in done.values()), (name, done)
    print(f"{name}: {len(hashes)} runs, hash by hash; attempts {[entry['attempts'] for entry in runs.values()]}")


def processes_of(directory):
    return [int(pid) for pid in ask("pgrep", "-f", f"stzkmc sweep .*{directory}").split()]


def ranks_of(directory):
    """Those processes that are the program itself, not its launcher."""
    return [pid for pid in processes_of(directory) if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(PROGRAM)]


def has_signal(pid):
    """Whether SIGUSR1 waits for a stopped process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    pending = int(fields["SigPnd"], 16) | int(fields["ShdPnd"], 16)
    return bool(pending >> (signal.SIGUSR1 - 1) & 1)


def main():
    with tempfile.TemporaryDirectory(prefix="stz-slurm-") as top, slurm(top):
        with open(os.path.join(top, "s.cfg"), "w", encoding="ascii") as file:
            file.write(SWEEP)
        subprocess.run([PROGRAM, "sweep", "s.cfg", "-o", "whole", "-q"], cwd=top, check=True)
        reference = {number: entry["state_hash"] for number, entry in read_manifest(os.path.join(top, "whole"))[0].items()}
        assert len(set(reference.values())) == 6

        # A sweep in one job, killed outright, then requeued by hand: it goes on by itself.
        directory = os.path.join(top, "one")
        job = submit(top, "sweep.sbatch", "s.cfg", directory, options=["--ntasks=2", "--time=10"])
        until(any_under_way(directory, 1), 60, "the job")
        ask("scontrol", "requeue", job)
        until(lambda: states(job).get(job, ("", 0))[1] == 1 and states(job)[job][0] == "RUNNING", 60, "the requeued job")
        wait_over(job, top)
        assert states(job)[job][0] == "COMPLETED", logs(top)
        expect_equal("scontrol requeue", directory, reference)

        # An array of which one task is killed, as by a node that dies, and requeued.
        directory = os.path.join(top, "array")
        job = submit(top, "array.sbatch", "s.cfg", directory, options=["--array=0-1", "--ntasks=1", "--time=10"])
        until(any_under_way(directory, 1), 60, "the array")
        for pid in processes_of(directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for task in 0, 1:
            ask("scontrol", "requeue", f"{job}_{task}")
        time.sleep(1)
        wait_over(job, top)
        restarts = sum(count for _, count, _ in states(job).values())
        assert restarts >= 1 and all(state == "COMPLETED" for state, _, _ in states(job).values()), (states(job), logs(top))
        expect_equal(f"array with requeue after a kill ({restarts} restarts)", directory, reference)

        # The signal before the time limit: checkpoints, exit 75, and back into the queue until all is done. SLURM looks
        # at limits twice a minute, so the runs are held up until it has spoken.
        directory = os.path.join(top, "limit")
        job = submit(top, "array.sbatch", "s.cfg", directory,
                     options=["--array=0-1", "--ntasks=1", "--time=1", "--signal=B:USR1@58"])
        until(lambda: any_under_way(directory)() and len(ranks_of(directory)) == 2, 60, "the array")
        ranks = ranks_of(directory)
        for pid in ranks:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: all(map(has_signal, ranks)), 100, "the early signal")
        for pid in ranks:
            os.kill(pid, signal.SIGCONT)
        wait_over(job, top)
        stopped = logs(top).count("requeueing job")
        assert stopped >= 1, logs(top)
        expect_equal(f"time limit with the early signal ({stopped} requeued by themselves)", directory, reference)

        # The same without mpirun, where srun can start Open MPI's ranks.
        if "pmix" in ask("srun", "--mpi=list"):
            directory = os.path.join(top, "srun")
            job = submit(top, "sweep.sbatch", "s.cfg", directory, options=["--ntasks=2", "--time=10"],
                         STZKMC_LAUNCH="srun --mpi=pmix")
            wait_over(job, top)
            assert states(job)[job][0] == "COMPLETED" and "on 2 ranks" in logs(top), logs(top)
            expect_equal("srun", directory, reference)

        # One run on two ranks.
        job = submit(top, "run.sbatch", os.path.join(SOURCE, "inputs", "smoke.cfg"), "smoke.h5",
                     options=["--ntasks=2", "--time=10"])
        wait_over(job, top)
        assert states(job)[job][0] == "COMPLETED" and os.path.exists(os.path.join(top, "smoke.h5")), logs(top)
        print("one run: done")


if __name__ == "__main__":
    main()
