#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose files are whose: an output in use is locked, nothing that the run did not write is replaced, a torn result is
made again, and a run goes on with what it has read or not at all."""
import os
import shutil
import subprocess
import tempfile
import time

import h5py
import numpy as np

from harness import PROGRAM, SOURCE, expect, expect_failure, finish, napping, read, run, wait_for_lock, write

SETTINGS = ["lattice.cells=[16,16,16]", "nbed.foil_nm=7.0", "nbed.probe_nm=0.6", "nbed.scans=1",
            "protocol[0].until_strain=0.05", "output.nbed_strains=[0.0,0.03]", "kmc.engine=direct"]
ARGUMENTS = [word for setting in SETTINGS for word in ("--set", setting)] + ["-q"]
STOP = ["--max-walltime", "1e-9"]  # at its first step, on any machine
LONG = ["--set", "protocol[0].until_strain=0.3"]


def state_hash(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"]


def check_lock(folder):
    """A second run of an output in use is refused, and the first ends as if nothing had been."""
    long = LONG
    run(["run", "inputs/a.cfg", "-o", "alone.h5"] + ARGUMENTS + long, cwd=folder)
    job = subprocess.Popen([PROGRAM, "run", "inputs/a.cfg", "-o", "l.h5"] + ARGUMENTS + long, cwd=folder,
                           env=napping(0.001))
    wait_for_lock(job, os.path.join(folder, "l.lock"))
    job.send_signal(19)  # SIGSTOP: it holds the lock as long as is needed
    for option in "--restart", "--force":
        done = run(["run", "inputs/a.cfg", "-o", "l.h5", option] + ARGUMENTS + long, cwd=folder)
        expect_failure(f"{option} of an output in use", done, 3, "l.h5: in use by another run, which goes on")
    done = run(["nbed", "snap.h5", "-o", "l.h5", "--force"], cwd=folder)
    expect("nbed -o of an output in use", done.returncode == 3 and "l.h5: in use by" in done.stderr, done.stderr)
    job.send_signal(18)
    expect("the first goes on", job.wait(timeout=120) == 0)
    expect("its hash", state_hash(f"{folder}/l.h5") == state_hash(f"{folder}/alone.h5"))
    expect("no lock is left", not os.path.exists(os.path.join(folder, "l.lock")))
    write(os.path.join(folder, "k.lock"), "")
    done = run(["run", "inputs/a.cfg", "-o", "k.h5"] + ARGUMENTS, cwd=folder)
    expect("a lock file of a crashed run", done.returncode == 0, done.stderr)
    write(os.path.join(folder, "k.lock"), "mine")
    done = run(["run", "inputs/a.cfg", "-o", "k.h5", "--force"] + ARGUMENTS, cwd=folder)
    expect("somebody's file named so", done.returncode == 2 and read(f"{folder}/k.lock") == b"mine", done.stderr)


def check_names(folder):
    """An input or a model named as a file that the run writes, somebody's file in its place, a name too long."""
    text = read(os.path.join(folder, "inputs", "a.cfg")).decode()
    for name in "v.ckpt.h5", "v.ckpt.prev.h5", "v.h5.new", "v.ckpt.h5.writing", "v.0001.hdf", "v.hdf.series":
        path = os.path.join(folder, "inputs", name)
        write(path, text)
        done = run(["run", name, "-o", "v.h5", "--force", "--set", "output.snapshots=true"] + ARGUMENTS,
                   cwd=f"{folder}/inputs")
        expect(f"input {name}", done.returncode == 2 and "is read by this run" in done.stderr
               and len(done.stderr.splitlines()) == 1 and read(path).decode() == text, done.stderr)
        os.remove(path)
    model = os.path.join(folder, "inputs", "m.ckpt.h5")
    shutil.copy(os.path.join(folder, "models", "zr65ni35.cfg"), model)
    done = run(["run", "a.cfg", "-o", "m.h5", "--set", 'model="m.ckpt.h5"'] + ARGUMENTS, cwd=f"{folder}/inputs")
    expect("model m.ckpt.h5", done.returncode == 2 and os.path.exists(model), done.stderr)
    for name in "u.ckpt.h5", "u.ckpt.prev.h5", "u.h5.new":
        write(os.path.join(folder, name), "mine")
        done = run(["run", "inputs/a.cfg", "-o", "u.h5"] + ARGUMENTS, cwd=folder)
        expect_failure(f"somebody's {name}", done, 3, f"{name}: exists already; --force replaces it")
        os.remove(os.path.join(folder, name))
    for name in "u.ckpt.h5", "u.ckpt.prev.h5", "u.0001.hdf":
        os.mkdir(os.path.join(folder, name))
        done = run(["run", "inputs/a.cfg", "-o", "u.h5", "--force", "--set", "output.snapshots=true"] + ARGUMENTS, cwd=folder)
        expect_failure(f"a folder {name}", done, 3, f"{name}: is no file, cannot be replaced")
        os.rmdir(os.path.join(folder, name))
    done = run(["run", "inputs/a.cfg", "-o", "n" * 248 + ".h5"] + ARGUMENTS, cwd=folder)
    expect("too long for its checkpoint", done.returncode == 2 and "too long a name" in done.stderr, done.stderr)
    done = run(["run", "inputs/a.cfg", "-o", "a\nb\x1b/x.h5"] + ARGUMENTS, cwd=folder)
    expect_failure("a newline in a name", done, 3, "a?b?/x.h5: cannot be written: the folder a?b? is not there; make it first")


def check_torn(folder):
    """A torn result beside its checkpoint, by itself and in a sweep."""
    run(["run", "inputs/a.cfg", "-o", "t.h5"] + STOP + ARGUMENTS, cwd=folder)
    path, whole = os.path.join(folder, "t.h5"), read(os.path.join(folder, "t.h5"))
    write(path, whole[:2000])
    done = run(["run", "inputs/a.cfg", "-o", "t.h5", "--restart"] + ARGUMENTS, cwd=folder)
    told = done.stderr.splitlines()
    expect("torn", done.returncode == 0 and len(told) == 1 and told[0].startswith("stzkmc: warning: t.h5: ")
           and told[0].endswith("; kept as t.torn.h5"), done.stderr)
    expect("torn: kept", read(os.path.join(folder, "t.torn.h5")) == whole[:2000])
    expect("torn: hash", state_hash(path) == state_hash(f"{folder}/whole.h5"))


def check_torn_all(folder):
    """With the result and both checkpoints torn, nothing is touched; --force begins anew. A torn checkpoint beside a whole
    result is kept under its own name."""
    for _ in range(2):
        run(["run", "inputs/a.cfg", "-o", "w.h5", "--restart"] + STOP + ARGUMENTS + LONG, cwd=folder)
    names = ["w.h5", "w.ckpt.h5", "w.ckpt.prev.h5"]
    whole = [read(os.path.join(folder, name)) for name in names]
    torn = [data[:3000] for data in whole]
    for name, data in zip(names, torn):
        write(os.path.join(folder, name), data)
    done = run(["run", "inputs/a.cfg", "-o", "w.h5", "--restart"] + ARGUMENTS + LONG, cwd=folder)
    expect("all torn", done.returncode == 3 and "; no whole checkpoint to make it again from, --force begins anew"
           in done.stderr, done.stderr)
    expect("all torn: untouched", [read(os.path.join(folder, name)) for name in names] == torn
           and not [name for name in os.listdir(folder) if name.startswith("w.") and "torn" in name], os.listdir(folder))
    write(os.path.join(folder, "w.h5"), whole[0])
    write(os.path.join(folder, "w.ckpt.prev.h5"), whole[2])
    done = run(["run", "inputs/a.cfg", "-o", "w.h5", "--restart"] + STOP + ARGUMENTS + LONG, cwd=folder)
    warned = [line for line in done.stderr.splitlines() if "warning" in line]
    expect("a torn checkpoint", done.returncode == 75 and read(os.path.join(folder, "w.ckpt.torn.h5")) == torn[1], done.stderr)
    expect("a torn checkpoint: one warning", warned == ["stzkmc: warning: w.ckpt.h5: cut short, damaged, or not a checkpoint; "
                                                        "kept as w.ckpt.torn.h5"], warned)
    for name, data in zip(names, torn):
        write(os.path.join(folder, name), data)
    done = run(["run", "inputs/a.cfg", "-o", "w.h5", "--force"] + ARGUMENTS, cwd=folder)
    expect("--force", done.returncode == 0 and state_hash(f"{folder}/w.h5") == state_hash(f"{folder}/whole.h5"),
           done.stderr)


def check_unread(folder):
    """A checkpoint that cannot be read now, but may be whole, is not left behind by a beginning from scratch."""
    away, path = os.path.join(folder, "away.h5"), os.path.join(folder, "y.ckpt.h5")
    run(["run", "inputs/a.cfg", "-o", "y.h5"] + STOP + ARGUMENTS, cwd=folder)
    os.rename(path, away)
    os.symlink("missing/disk.h5", path)
    done = run(["run", "inputs/a.cfg", "-o", "y.h5", "--restart"] + ARGUMENTS, cwd=folder)
    expect_failure("its disk is missing", done, 3, "y.ckpt.h5: cannot open: No such file or directory; it may be whole: try "
                   "again, or move it away to begin anew")
    expect("its link stays", os.path.islink(path) and not os.path.exists(f"{folder}/y.ckpt.torn.h5"))
    os.rename(away, path)
    done = run(["run", "inputs/a.cfg", "-o", "y.h5", "--restart"] + ARGUMENTS, cwd=folder)
    expect("it is back", done.returncode == 0 and state_hash(f"{folder}/y.h5") == state_hash(f"{folder}/whole.h5"), done.stderr)


def check_unread_newest(folder):
    """A newest checkpoint that cannot be read now is not passed over for the one before; nor is one before for nothing."""
    newest, previous = os.path.join(folder, "z.ckpt.h5"), os.path.join(folder, "z.ckpt.prev.h5")
    again = ["run", "inputs/a.cfg", "-o", "z.h5", "--restart"] + ARGUMENTS
    for _ in range(2):
        run(again + STOP, cwd=folder)
    expect("two checkpoints", os.path.exists(newest) and os.path.exists(previous))
    whole = {path: read(path) for path in (newest, previous, os.path.join(folder, "z.h5"))}

    def untouched(name, lost):
        left = [entry for entry in os.listdir(folder) if entry.startswith("z.")]
        expect(name, sorted(left) == ["z.ckpt.h5", "z.ckpt.prev.h5", "z.h5"]
               and all(read(path) == data for path, data in whole.items() if path not in lost), left)

    os.remove(newest)
    os.symlink("missing/disk.h5", newest)
    reason = "cannot open: No such file or directory; it may be whole: try again, or move it away to"
    for ranks in 1, 2:
        expect_failure("the newest is unread", run(again, ranks, folder), 3, f"z.ckpt.h5: {reason} go on from z.ckpt.prev.h5", ranks)
        untouched("the newest is unread: untouched", [newest])
    os.remove(newest)
    os.remove(previous)
    write(newest, whole[newest][:3000])
    os.symlink("missing/disk.h5", previous)
    expect_failure("the one before is unread", run(again, cwd=folder), 3, f"z.ckpt.prev.h5: {reason} begin anew")
    untouched("the one before is unread: untouched", [newest, previous])
    os.remove(newest)
    os.remove(previous)
    write(previous, whole[previous])
    done = run(again, cwd=folder)
    expect("from the one before", done.returncode == 0 and state_hash(f"{folder}/z.h5") == state_hash(f"{folder}/whole.h5"),
           done.stderr)


def check_changed_sweep(folder):
    """The result of another run in the place of a done one is told; and a manifest that is replaced while a sweep works."""
    expect("a sweep", run(["sweep", "s.cfg", "-o", "mixed"], cwd=folder).returncode == 0)
    shutil.copy(os.path.join(folder, "mixed/runs/000000.h5"), os.path.join(folder, "mixed/runs/000001.h5"))
    done = run(["sweep", "s.cfg", "-o", "mixed", "--resume"], cwd=folder)
    expect("another run's result", done.returncode == 3 and "mixed/runs/000001.h5: the result of another input than this "
           "run's; remove it to have run 1 again" in done.stderr, done.stderr)
    job = subprocess.Popen([PROGRAM, "sweep", "s.cfg", "-o", "edited", "--set", "protocol[0].until_strain=0.2"], cwd=folder,
                           stderr=subprocess.PIPE, text=True)
    manifest = os.path.join(folder, "edited", "manifest.jsonl")
    while job.poll() is None and not (os.path.exists(manifest) and b'"running"' in read(manifest)):
        time.sleep(0.01)
    shutil.copy(manifest, manifest + "~")
    os.rename(manifest + "~", manifest)
    said = job.communicate()[1]
    expect("a replaced manifest", job.returncode == 3 and "edited/manifest.jsonl: was replaced or removed while this sweep "
           "works; go on with --resume" in said, said)


SWEEP = """input = "inputs/a.cfg"; seed = 5;
set = [ %s ];
axes = ( { key = "barriers.width_eV"; values = [0.05, 0.1]; } );
"""


def check_torn_sweep(folder):
    """A run of a sweep whose result is torn goes on from its checkpoint; from the beginning if that is torn too."""
    settings = ", ".join('"' + setting.replace('"', '\\"') + '"' for setting in SETTINGS)
    write(os.path.join(folder, "s.cfg"), SWEEP % settings)
    done = run(["sweep", "s.cfg", "-o", "one", "-q"], cwd=folder)
    expect("a sweep", done.returncode == 0, done.stderr)
    path, truth = os.path.join(folder, "torn", "runs", "000000"), state_hash(f"{folder}/one/runs/000000.h5")
    for torn in [".h5"], [".h5", ".ckpt.h5"]:
        shutil.rmtree(os.path.join(folder, "torn"), ignore_errors=True)
        done = run(["sweep", "s.cfg", "-o", "torn", "--only", "0"], cwd=folder)
        shutil.rmtree(os.path.join(folder, "torn", "runs"))
        os.mkdir(os.path.join(folder, "torn", "runs"))
        lines = read(f"{folder}/torn/manifest.jsonl").splitlines(keepends=True)
        write(f"{folder}/torn/manifest.jsonl", b"".join(lines[:4]))  # run 0 is under way
        seed = lines[1].split(b'"seed":')[1].split(b",")[0].decode()
        run(["run", "inputs/a.cfg", "-o", path + ".h5", "--seed", seed, "--set", "barriers.width_eV=0.05"] + STOP
            + ARGUMENTS, cwd=folder)
        for suffix in torn:
            write(path + suffix, read(path + suffix)[:3000])
        done = run(["sweep", "s.cfg", "-o", "torn", "--resume", "--only", "0"], cwd=folder)
        expect(f"sweep, torn {torn}", done.returncode == 0 and state_hash(path + ".h5") == truth, done.stderr)
        warned = sum("warning" in line for line in done.stderr.splitlines())
        expect(f"sweep, torn {torn}: a warning for each file", warned == len(torn), done.stderr)
        expect(f"sweep, torn {torn}: kept", os.path.getsize(path + ".torn.h5") == 3000, os.listdir(f"{folder}/torn/runs"))


def check_links(folder):
    """An output that is a link is written where it leads, with its checkpoints and its lock, and the link is kept."""
    os.mkdir(os.path.join(folder, "disk"))
    os.symlink("disk/far.h5", os.path.join(folder, "near.h5"))
    link, far = os.path.join(folder, "near.h5"), os.path.join(folder, "disk", "far.h5")
    arguments = ["run", "inputs/a.cfg", "-o", "near.h5"] + ARGUMENTS
    done = run(arguments + STOP, cwd=folder)
    expect("a link to nothing", done.returncode == 75 and sorted(os.listdir(f"{folder}/disk")) == ["far.ckpt.h5", "far.h5"],
           done.stderr)
    done = run(arguments + ["--restart"], cwd=folder)
    expect("restart by a link", done.returncode == 0 and os.path.islink(link) and state_hash(far) ==
           state_hash(f"{folder}/whole.h5") and os.listdir(f"{folder}/disk") == ["far.h5"], done.stderr)
    done = run(arguments, cwd=folder)
    expect_failure("a link to a result", done, 3, "disk/far.h5: exists already; --force replaces it")
    os.symlink("loop.h5", os.path.join(folder, "loop.h5"))
    done = run(["run", "inputs/a.cfg", "-o", "loop.h5"] + ARGUMENTS, cwd=folder)
    expect_failure("a link to itself", done, 3, "loop.h5: a link that leads nowhere")


def check_planted_links(folder):
    """A link in the place of a temporary file is removed, and what it leads to is left alone."""
    victim, snapshots = os.path.join(folder, "victim"), ["--set", "output.snapshots=true"]
    for name in "p.h5.new", "p.ckpt.h5.writing.new", "p.hdf.series.new":
        for there in True, False:
            write(victim, "mine")
            if not there:
                os.remove(victim)
            os.symlink("victim", os.path.join(folder, name))
            done = run(["run", "inputs/a.cfg", "-o", "p.h5", "--restart"] + STOP + ARGUMENTS + snapshots, cwd=folder)
            expect(f"link {name}: stopped", done.returncode == 75, done.stderr)
            done = run(["run", "inputs/a.cfg", "-o", "p.h5", "--restart"] + ARGUMENTS + snapshots, cwd=folder)
            expect(f"link {name}", done.returncode == 0, done.stderr)
            expect(f"link {name}: victim", (read(victim) == b"mine") if there else not os.path.exists(victim))
            for left in [left for left in os.listdir(folder) if left.startswith("p.")]:
                os.remove(os.path.join(folder, left))


def check_texts(folder):
    """A result with texts that are more than texts: what is printed of it does nothing to a terminal."""
    nasty = "a\x1b[31m\nb\u009b2Jc\u2028\u202ed\u00e9</script>"
    shutil.copy(os.path.join(folder, "whole.h5"), os.path.join(folder, "texts.h5"))
    with h5py.File(os.path.join(folder, "texts.h5"), "a") as file:
        file.attrs["command_line"] = nasty
        resolved = file["config/resolved"][()].decode()
        file["config/resolved"][()] = resolved.replace("icosahedral", nasty.replace("\n", " "))
    for words in ["texts.h5"], ["texts.h5", "whole.h5"]:
        done = run(["info", *words], cwd=folder)
        lines = done.stdout.split("\n")
        expect(f"info {words}", done.returncode == 0 and all(line.isprintable() for line in lines), done.stderr + done.stdout)
        expect(f"info {words}: the rest of the text", any("b?2Jc??d\u00e9</script>" in line for line in lines), done.stdout)
    done = run(["info", "b\u009b2J\u2029\u00ad.h5"], cwd=folder)
    expect_failure("info of a name", done, 3, "b?2J??.h5: cannot open: No such file or directory")


def check_pipes(folder):
    """A pipe without a writer, and a link to what has no end, in the place of a list: nobody waits."""
    def in_place_of(name, kind):
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            os.remove(path)
        os.mkfifo(path) if kind == "pipe" else os.symlink("/dev/zero", path)
    settings = ", ".join('"' + setting.replace('"', '\\"') + '"' for setting in SETTINGS)
    write(os.path.join(folder, "s.cfg"), SWEEP % settings)
    os.mkdir(os.path.join(folder, "piped"))
    for kind in "pipe", "endless":
        in_place_of("snap.hdf.series", kind)
        done = run(["nbed", "snap.h5"], cwd=folder, timeout=300)
        expect_failure(f"nbed: {kind}", done, 3, "snap.hdf.series: cannot read: it is no file")
        in_place_of("piped/manifest.jsonl", kind)
        for option in "--resume", "--force", "--list":
            done = run(["sweep", "s.cfg", "-o", "piped", option, "-q"], cwd=folder, timeout=300)
            expect_failure(f"sweep {option}: {kind}", done, 3, "piped/manifest.jsonl: cannot be opened: it is no file")


def check_snapshot_gone(folder):
    arguments = ["run", "inputs/a.cfg", "-o", "g.h5", "--set", "output.snapshots=true"] + ARGUMENTS
    taken = os.path.join(folder, "g.0000.hdf")
    for _ in range(20):
        done = run(arguments + STOP + ["--restart"], cwd=folder)
        if os.path.exists(taken) or done.returncode != 75:
            break
    expect("a snapshot is taken", done.returncode == 75 and os.path.exists(taken), done.stderr)
    os.remove(taken)
    done = run(arguments + ["--restart"], cwd=folder)
    gone = "stzkmc: warning: g.0000.hdf: is gone, though the run wrote it; the run goes on without it"
    expect("a snapshot that is gone", done.returncode == 0 and done.stderr.splitlines() == [gone], done.stderr)


def change(path):
    """Other content; and the time it was changed alone."""
    with open(path, "ab") as file:
        file.write(b"\n# another comment\n")


def check_content(folder):
    """Models, modes and fields that have changed between the parts of a run, or of a sweep."""
    with h5py.File(os.path.join(folder, "inputs", "field.h5"), "w") as file:
        file["x"] = np.random.default_rng(1).uniform(0.3, 0.4, (16, 16, 16))
    field = ["--set", 'microstructure.type="file"', "--set", 'microstructure.file="field.h5"', "--set",
             'microstructure.dataset="x"']
    cases = [("model", "zr65ni35", os.path.join(folder, "models", "zr65ni35.cfg"), []),
             ("stz.modes", "fcc", os.path.join(folder, "models", "modes", "fcc.cfg"), ["--set", 'stz.modes="fcc"']),
             ("microstructure.file", "field.h5", os.path.join(folder, "inputs", "field.h5"), field)]
    for key, name, path, more in cases:
        arguments = ["run", "inputs/a.cfg", "-o", "c.h5"] + ARGUMENTS + more + LONG
        done = run(arguments + STOP + ["--force"], cwd=folder)
        expect(f"{key}: stopped", done.returncode == 75, done.stderr)
        os.utime(path)
        done = run(arguments + STOP + ["--restart"], cwd=folder)
        expect(f"{key}: touched", done.returncode == 75, done.stderr)
        if key == "microstructure.file":
            with h5py.File(path, "r+") as file:
                file["x"][0, 0, 0] += 1e-3
        else:
            change(path)
        for there, of in ((True, "c.h5"), (False, "c.ckpt.h5")):
            if not there:
                os.remove(os.path.join(folder, "c.h5"))
            done = run(arguments + ["--restart"], cwd=folder)
            expect_failure(f"{key}: changed, {of}", done, 2,
                           f'{of}: of another input: the content of {key} "{name}" has changed since')


def check_content_nbed(folder):
    """A snapshot of a run that has read another field, under the name of this one's."""
    field = ["--set", 'microstructure.type="file"', "--set", 'microstructure.file="field.h5"', "--set",
             'microstructure.dataset="x"', "--set", "output.snapshots=true"]
    for name in "n.h5", "other.h5":
        done = run(["run", "inputs/a.cfg", "-o", name] + ARGUMENTS + field, cwd=folder)
        expect(f"nbed: {name}", done.returncode == 0, done.stderr)
        with h5py.File(os.path.join(folder, "inputs", "field.h5"), "r+") as file:
            file["x"][0, 0, 0] -= 1e-3
    expect("nbed", run(["nbed", "n.h5"], cwd=folder).returncode == 0)
    shutil.copy(os.path.join(folder, "other.0001.hdf"), os.path.join(folder, "n.0001.hdf"))
    done = run(["nbed", "n.h5", "-o", "scan.h5"], cwd=folder)
    said = done.stderr.splitlines()[-1]
    expect("nbed: another field", done.returncode == 2 and said == "stzkmc: n.0001.hdf: of another input: the content of "
           'microstructure.file "field.h5" has changed since', done.stderr)


def check_content_sweep(folder):
    """What a sweep has read, when it goes on: each kind of file."""
    settings = SETTINGS + ['microstructure.type="file"', 'microstructure.file="field.h5"', 'microstructure.dataset="x"',
                           'stz.modes="fcc"']
    quoted = ", ".join('"' + setting.replace('"', '\\"') + '"' for setting in settings)
    write(os.path.join(folder, "s.cfg"), SWEEP % quoted)
    done = run(["sweep", "s.cfg", "-o", "content", "-q", "--only", "0"], cwd=folder)
    expect("sweep", done.returncode == 0, done.stderr)
    for key, name, path in (("model", "zr65ni35", os.path.join(folder, "models", "zr65ni35.cfg")),
                            ("stz.modes", "fcc", os.path.join(folder, "models", "modes", "fcc.cfg")),
                            ("microstructure.file", "field.h5", os.path.join(folder, "inputs", "field.h5"))):
        kept = read(path)
        if key == "microstructure.file":
            with h5py.File(path, "r+") as file:
                file["x"][0, 0, 0] -= 1e-3
        else:
            change(path)
        done = run(["sweep", "s.cfg", "-o", "content", "--resume", "-q"], cwd=folder)
        expect_failure(f"sweep: {key} changed", done, 2,
                       f'content/manifest.jsonl: of another input: the content of {key} "{name}" has changed since')
        write(path, kept)
    done = run(["sweep", "s.cfg", "-o", "content", "--resume", "-q"], cwd=folder)
    expect("sweep: as before", done.returncode == 0, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "inputs"))
        shutil.copy(os.path.join(SOURCE, "inputs", "tension.cfg"), os.path.join(folder, "inputs", "a.cfg"))
        shutil.copytree(os.path.join(SOURCE, "models"), os.path.join(folder, "models"))
        for name, more in (("whole.h5", []), ("snap.h5", ["--set", "output.snapshots=true"])):
            done = run(["run", "inputs/a.cfg", "-o", name] + ARGUMENTS + more, cwd=folder)
            expect(name, done.returncode == 0, done.stderr)
        check_lock(folder)
        check_names(folder)
        check_torn(folder)
        check_torn_all(folder)
        check_unread(folder)
        check_unread_newest(folder)
        check_torn_sweep(folder)
        check_changed_sweep(folder)
        check_links(folder)
        check_planted_links(folder)
        check_snapshot_gone(folder)
        check_content(folder)
        check_content_nbed(folder)
        check_content_sweep(folder)
        check_pipes(folder)
        check_texts(folder)
    finish()


main()
