#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job over two nodes. Two host names on one machine serve for them: mpirun starts its daemons through an agent of ours
that gives each a host name of its own, so that Open MPI takes them for two nodes, which share no memory.

Both engines give the state_hash of one rank; a line says which ranks stay idle; a rank that is killed on the second node
ends the job. `nodes.py PROGRAM MPIRUN`; 77 (skipped) where a process may not have a host name of its own."""
import os
import re
import signal
import subprocess
import sys
import tempfile

PROGRAM, MPIRUN = sys.argv[1:3]
HOSTS = "192.0.2.1:2,192.0.2.2:2"  # addresses for documentation (RFC 5737): of no machine
ONE_MACHINE = ["--mca", "oob_tcp_if_include", "lo", "--mca", "btl_tcp_if_include", "lo", "--mca", "btl", "self,vader,tcp"]
AGENT = """#!/bin/sh
host=$1; shift
exec unshare %s --uts sh -c "hostname node-$host; $*"
"""
INPUT = """
model = "zr65ni35";
lattice: { cells = [32, 32, 32]; };
kmc: { engine = "%s"; };
output: { nbed_strains = [0.0]; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-4; until_strain = %s; } );
"""


def launch(folder, arguments):
    return subprocess.Popen([MPIRUN, "--mca", "plm_rsh_agent", os.path.join(folder, "agent"), *ONE_MACHINE, "--bind-to",
                             "none", "--host", HOSTS, "-n", "4", PROGRAM, *arguments], cwd=folder, text=True,
                            stderr=subprocess.PIPE, start_new_session=True)


def hash_of(said):
    return re.search(r"state_hash ([0-9a-f]{16})", said)[1]


def check_engine(folder, engine, strain):
    with open(os.path.join(folder, "in.cfg"), "w", encoding="utf-8") as file:
        file.write(INPUT % (engine, strain))
    alone = subprocess.run([PROGRAM, "run", "in.cfg", "-o", "alone.h5", "--force"], cwd=folder, check=True, text=True,
                           stderr=subprocess.PIPE)
    job = launch(folder, ["run", "in.cfg", "-o", "nodes.h5", "--force"])
    said = job.communicate(timeout=480)[1]
    assert job.returncode == 0, said
    assert hash_of(said) == hash_of(alone.stderr), said
    return said


def check_lost_rank(folder):
    job = launch(folder, ["run", "in.cfg", "-o", "long.h5", "--force", "--set", "protocol[0].until_strain=1.0"])
    said = ""
    while "engine:" not in said and (line := job.stderr.readline()):
        said += line
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                found = b"OMPI_COMM_WORLD_RANK=3\0" in file.read()
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                found = found and file.read().startswith(PROGRAM.encode() + b"\0") and os.getsid(int(entry)) == job.pid
        except OSError:
            continue
        if found:
            os.kill(int(entry), signal.SIGKILL)
            break
    else:
        raise AssertionError("no rank 3 on the second node: " + said)
    said += job.communicate(timeout=480)[1]
    assert job.returncode not in (0, 75), said


space = [] if os.getuid() == 0 else ["--map-root-user"]
if subprocess.run(["unshare", *space, "--uts", "hostname", "node"], stderr=subprocess.DEVNULL, check=False).returncode:
    print("skipped: a process may not have a host name of its own here")
    sys.exit(77)
with tempfile.TemporaryDirectory() as scratch:
    with open(os.path.join(scratch, "agent"), "w", encoding="utf-8") as agent:
        agent.write(AGENT % " ".join(space))
    os.chmod(agent.name, 0o755)
    assert "ranks stay idle: they are on other nodes than the first" not in check_engine(scratch, "direct", "0.046")
    assert "2 of 4 ranks stay idle: they are on other nodes than the first" in check_engine(scratch, "multilevel", "0.05")
    check_lost_rank(scratch)
