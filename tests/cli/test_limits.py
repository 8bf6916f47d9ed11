#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of the system: files that may not grow or be opened, memory that is out, locks that a file system does not have, and a
checkpoint of another machine: one line, the right exit code, and nothing older is lost."""
import errno
import os
import resource
import subprocess
import tempfile

import h5py

from harness import (
    LIBRARY, MPIRUN, PROGRAM, SOURCE, expect, expect_failure, finish, napping, read, run, wait_for_lock,
    write,
)

INPUT = os.path.join(SOURCE, "inputs", "tension.cfg")
SETTINGS = ["lattice.cells=[16,16,16]", "nbed.foil_nm=7.0", "nbed.probe_nm=0.6", "nbed.scans=1",
            "protocol[0].until_strain=0.3", "output.nbed_strains=[0.0]", "output.events=true", "kmc.engine=direct"]
ARGUMENTS = [word for setting in SETTINGS for word in ("--set", setting)] + ["-q"]
FACTOR, BEGIN = 0x100000001B3, 0xCBF29CE484222325
SEAL = 33  # bytes of the last line of a sealed file


def seal(data):
    """The checksum of docs/output.md."""
    lanes = [BEGIN + i for i in range(4096)]
    def mix(h, word):
        h = (h ^ word) * FACTOR % 2**64
        return h ^ h >> 29
    padded = data + bytes(-len(data) % 32768)
    for i in range(len(padded) // 8):
        lanes[i % 4096] = mix(lanes[i % 4096], int.from_bytes(padded[8 * i:8 * i + 8], "little"))
    total = BEGIN ^ len(data)
    for lane in lanes:
        total = mix(total, lane)
    return b"stzkmc-checksum %016x\n" % total


def ours(text):
    return [line for line in text.splitlines() if line.startswith("stzkmc:")]


def check_file_size(folder, whole):
    """As `ulimit -f`, set once Open MPI's own files are there. Python gives its children SIGXFSZ as it was: deadly."""
    done = run(["run", INPUT, "-o", "f.h5", "--max-walltime", "1e-9"] + ARGUMENTS, cwd=folder)
    expect("stopped", done.returncode == 75, done.stderr)
    kept = read(os.path.join(folder, "f.ckpt.h5"))
    job = subprocess.Popen([PROGRAM, "run", INPUT, "-o", "f.h5", "--restart"] + ARGUMENTS, cwd=folder, text=True,
                           stderr=subprocess.PIPE, env=napping(0.01))
    wait_for_lock(job, os.path.join(folder, "f.lock"))
    resource.prlimit(job.pid, resource.RLIMIT_FSIZE, (10_000, 10_000))
    said = job.communicate()[1]
    expect("files that may not grow", job.returncode == 3 and len(ours(said)) == 1 and "File too large" in said,
           f"exit {job.returncode}: {said}")
    expect("the checkpoint is kept", kept in [read(os.path.join(folder, name)) for name in os.listdir(folder)
                                              if name.startswith("f.ckpt")])
    done = run(["run", INPUT, "-o", "f.h5", "--restart"] + ARGUMENTS, cwd=folder)
    expect("goes on", done.returncode == 0, done.stderr)
    expect("goes on: hash", state_hash(os.path.join(folder, "f.h5")) == whole)


def state_hash(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"]


def check_memory(folder):
    """An input of many bytes is refused; a lattice beyond `ulimit -v` ends with exit 5 and one line."""
    write(os.path.join(folder, "big.cfg"), "#" * 9_000_000 + "\n")
    for words in ["check", "big.cfg"], ["run", "big.cfg", "-o", "big.h5"]:
        expect_failure(words[0], run(words, cwd=folder), 2, "big.cfg: got more than 1 MiB, needs an input file")
    most = 300 << 20
    done = subprocess.run([PROGRAM, "run", INPUT, "-o", "m.h5"] + ARGUMENTS + ["--set", "lattice.cells=[256,256,256]"],
                          cwd=folder, capture_output=True, text=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)))
    expect("memory", done.returncode == 5 and len(ours(done.stderr)) == 1 and "out of memory" in done.stderr,
           f"exit {done.returncode}: {done.stderr}")
    expect("memory: no output", not os.path.exists(os.path.join(folder, "m.h5")))


def several(arguments, folder, before="", **limits):
    """On two ranks, each after the shell commands `before`; limits are of mpirun too."""
    def limit():
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, name), (most, most))

    call = [MPIRUN, "--bind-to", "none", "-n", "2", "sh", "-c", f'{before}\nexec "$@"', "sh", PROGRAM]
    return subprocess.run(call + arguments, cwd=folder, capture_output=True, text=True, check=False, preexec_fn=limit,
                          timeout=240)


def check_memory_of_ranks(folder):
    """Where memory is out each rank says one line, also before MPI can start."""
    big = ["run", INPUT, "-o", "b.h5"] + ARGUMENTS + ["--set", "lattice.cells=[256,256,256]"]
    for kilobytes, said in (120_000, "MPI needs about 256 MB, see `ulimit -v`"), (500_000, ""):
        done = several(big, folder, f"ulimit -v {kilobytes}")
        lines = ours(done.stderr)
        expect(f"{kilobytes} kB", done.returncode == 5 and 1 <= len(lines) <= 2 and len(set(lines)) == 1
               and lines[0].startswith("stzkmc: out of memory: " + said), f"exit {done.returncode}: {done.stderr}")
    for kilobytes in 60_000, 120_000, 200_000:
        done = subprocess.run(["sh", "-c", f'ulimit -v {kilobytes}; exec "$@"', "sh", PROGRAM] + big, cwd=folder,
                              capture_output=True, text=True, check=False)
        expect(f"{kilobytes} kB alone", done.returncode == 5 and done.stderr.startswith("stzkmc: out of memory: ")
               and len(done.stderr.splitlines()) == 1, f"exit {done.returncode}: {done.stderr}")


def check_open_files(folder):
    """Where few files may be open, each process says one line, and exits as for memory or for a file."""
    short = ["run", INPUT, "-o", "n.h5", "--force"] + ARGUMENTS + ["--set", "protocol[0].until_strain=0.01"]
    codes = set()
    for files in 4, 8, 9, 10, 12, 18, 22, 64:
        done = subprocess.run(["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", PROGRAM] + short, cwd=folder,
                              capture_output=True, text=True, check=False)
        lines = done.stderr.splitlines()
        expect(f"{files} files", done.returncode == 0 and not lines or done.returncode in (3, 5) and len(lines) == 1
               and lines == ours(done.stderr), f"exit {done.returncode}: {done.stderr}")
        codes.add(done.returncode)
    expect("few files and enough", {0, 5} <= codes, codes)
    done = several(short, folder, "ulimit -n 16")
    expect("16 files on two ranks", done.returncode == 5 and set(ours(done.stderr)) == {
        "stzkmc: too many open files: MPI needs about 32 more, see `ulimit -n`"}, f"exit {done.returncode}: {done.stderr}")


SMALL_DISK = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=4m tmpfs /dev/shm && exec "$@"', "sh"]


def check_shared_memory(folder, whole):
    """Where files may not grow as large as shared memory, or /dev/shm is small as in a container, each rank has a copy."""
    def expect_copies(name, done, reason):
        warned = "stzkmc: warning: shared memory: needs 0.07776 MB and " + reason
        expect(name, done.returncode == 0 and [line[:len(warned)] for line in ours(done.stderr)] == [warned],
               f"exit {done.returncode}: {done.stderr}")
        expect(f"{name}: hash", state_hash(os.path.join(folder, "c.h5")) == whole)

    arguments = ["run", INPUT, "-o", "c.h5", "--force"] + ARGUMENTS
    done = several(arguments, folder, RLIMIT_FSIZE=4_200_000)
    expect_copies("ulimit -f", done, "`ulimit -f` allows files of 4.2 MB")
    if subprocess.run(SMALL_DISK + ["true"], capture_output=True, check=False).returncode != 0:
        print("not shown: a small /dev/shm, which takes root")
        return
    call = [MPIRUN, "--bind-to", "none", "--mca", "btl", "self,tcp", "-n", "2", PROGRAM]
    done = subprocess.run(SMALL_DISK + call + arguments, cwd=folder,
                          capture_output=True, text=True, check=False)
    expect_copies("a small /dev/shm", done, "/dev/shm has ")


def check_locks(folder, whole):
    """Where locks do not work one warning says so, and the run goes on."""
    for reason in errno.ENOLCK, errno.ENOSYS:
        environment = dict(os.environ, LD_PRELOAD=LIBRARY, STZ_FAULT_CALL="lock", STZ_FAULT_ERRNO=str(reason))
        done = subprocess.run([PROGRAM, "run", INPUT, "-o", "l.h5", "--force"] + ARGUMENTS, cwd=folder, text=True,
                              capture_output=True, env=environment, check=False)
        expect(errno.errorcode[reason], done.returncode == 0 and len(ours(done.stderr)) == 1
               and "l.lock: cannot be locked" in done.stderr, f"exit {done.returncode}: {done.stderr}")
        expect(f"{errno.errorcode[reason]}: hash", state_hash(os.path.join(folder, "l.h5")) == whole)


def check_layout(folder):
    """A checkpoint of another byte order, or of a compiler with other structures."""
    for old, new in (b"little-endian", b"bigger-endian"), (b"layout 4 ", b"layout 8 "):
        for name in os.listdir(folder):
            if name.startswith("y."):
                os.remove(os.path.join(folder, name))
        run(["run", INPUT, "-o", "y.h5", "--max-walltime", "1e-9"] + ARGUMENTS, cwd=folder)
        path = os.path.join(folder, "y.ckpt.h5")
        data = read(path)[:-SEAL]
        expect(f"seal of {old}", read(path) == data + seal(data), "not as docs/output.md says")
        data = data.replace(old, new)
        write(path, data + seal(data))
        done = run(["run", INPUT, "-o", "y.h5", "--restart"] + ARGUMENTS, cwd=folder)
        expect(f"layout {new}", done.returncode != 0 and len(ours(done.stderr)) == 1 and "y.ckpt.h5" in done.stderr,
               f"exit {done.returncode}: {done.stderr}")
        expect(f"layout {new}: kept", read(path) == data + seal(data))


def check_content(folder):
    """A checkpoint with a right seal whose memory is not that which was written: nothing of it is used."""
    for block in "load", "engine", "record", "sample":
        for name in os.listdir(folder):
            if name.startswith("z."):
                os.remove(os.path.join(folder, name))
        run(["run", INPUT, "-o", "z.h5", "--max-walltime", "1e-9"] + ARGUMENTS, cwd=folder)
        path = os.path.join(folder, "z.ckpt.h5")
        write(path, read(path)[:-SEAL])
        with h5py.File(path, "a") as file:
            values = file[block][:]
            values[5] ^= 255
            file[block][:] = values
        data = read(path)
        write(path, data + seal(data))
        done = run(["run", INPUT, "-o", "z.h5", "--restart"] + ARGUMENTS, cwd=folder)
        expect_failure(f"content of {block}", done, 3, f"z.ckpt.h5: {block}: is not as it was written")


def main():
    with tempfile.TemporaryDirectory() as folder:
        done = run(["run", INPUT, "-o", "whole.h5"] + ARGUMENTS, cwd=folder)
        expect("unbroken run", done.returncode == 0, done.stderr)
        whole = state_hash(os.path.join(folder, "whole.h5"))
        check_file_size(folder, whole)
        check_memory(folder)
        check_memory_of_ranks(folder)
        check_open_files(folder)
        check_shared_memory(folder, whole)
        check_locks(folder, whole)
        check_layout(folder)
        check_content(folder)
    finish()


main()
