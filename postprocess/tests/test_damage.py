# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files and manifests: a failure is a StzPostError of one line, and has the right cause."""
import json
import os
import random
import subprocess
import sys

import h5py
import numpy as np
import pytest
from synthetic import write as write_result
from test_sweep import directory  # noqa: F401 (a fixture)

from stzpost import StzPostError, open_result, open_sweep
from stzpost.cli import main as cli
from stzpost.io import files
from stzpost.io.files import look_ahead, open_file, seal_fits

FACTOR, BEGIN = 0x100000001B3, 0xCBF29CE484222325


def seal(data):
    """The checksum of docs/output.md, number by number."""
    def mix(h, w):
        h = (h ^ w) * FACTOR % 2**64
        return h ^ h >> 29
    lanes = [BEGIN + i for i in range(4096)]
    padded = data + bytes(-len(data) % 32768)
    for at in range(0, len(padded), 8):
        i = at // 8 % 4096
        lanes[i] = mix(lanes[i], int.from_bytes(padded[at:at + 8], "little"))
    total = BEGIN ^ len(data)
    for lane in lanes:
        total = mix(total, lane)
    return b"stzkmc-checksum %016x\n" % total


@pytest.fixture
def sealed(tmp_path):
    path = str(tmp_path / "run.h5")
    write_result(path)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "ab") as file:
        file.write(seal(data))
    return path


def one_line(path, read=open_result):
    with pytest.raises(StzPostError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_sealed_file_is_held_against_its_checksum(sealed):
    assert seal_fits(sealed, os.path.getsize(sealed)) and open_result(sealed).complete in (True, False)
    with open(sealed, "r+b") as file:
        at = os.path.getsize(sealed) // 2
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 16]))
    assert one_line(sealed) == f"{sealed}: damaged: its content does not fit its checksum"


@pytest.mark.parametrize("together", [5, 22, 512])
def test_many_at_once(together, tmp_path, monkeypatch):
    """The same of each as one by one, and it is not looked at again."""
    draw, paths = random.Random(1), [str(tmp_path / f"{number}.h5") for number in range(24)]
    for number, path in enumerate(paths):
        data = draw.randbytes(1 + number * 3000)
        line = seal(data) if number != 5 else b""
        if number == 20:
            data = data[:50_000] + bytes([data[50_000] ^ 1]) + data[50_001:]
        with open(path, "wb") as file:
            file.write(data + line)
    os.remove(paths[7])
    monkeypatch.setattr(files, "MOST_TOGETHER", together)
    look_ahead(paths)
    looked = []
    monkeypatch.setattr(files, "seal_fits", lambda path, size: looked.append(path))
    said = {path: one_line(path, lambda path: open_file(path).__enter__()) for path in paths}
    assert [path for path, text in said.items() if "does not fit its checksum" in text] == [paths[20]]
    assert "no such file" in said[paths[7]] and looked == [paths[5]]


def test_an_edited_file_is_read(sealed):
    with h5py.File(sealed, "r+") as file:
        file.create_group("mine").attrs["note"] = "x" * 3000
        file["mine/numbers"] = np.arange(5000)
    assert seal_fits(sealed, os.path.getsize(sealed)) is None
    open_result(sealed)


def test_cut_short(sealed):
    size = os.path.getsize(sealed)
    os.truncate(sealed, size // 2)
    assert "not a readable HDF5 file (Unable to open file (truncated file" in one_line(sealed)


def test_no_memory_for_what_is_claimed(tmp_path):
    path = str(tmp_path / "run.h5")
    write_result(path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("history/huge", shape=(2**40,), maxshape=(None,), chunks=(1024,), dtype="f8")
    assert one_line(path) == f"{path}: damaged: it claims to hold more than the file can"


def test_what_fails_while_it_is_open_names_the_file(sealed):
    def read(path):
        with open_file(path) as file:
            return file["no/such"]
    assert one_line(sealed, read).startswith(f"{sealed}: damaged, or not complete: ")


def test_a_result_says_what_it_is(sealed):
    lines = str(open_result(sealed)).splitlines()
    assert 8 <= len(lines) <= 12 and lines[0].startswith(f"file:       {sealed} (")
    assert [line.split(":")[0] for line in lines] == [
        "file", "program", "model", "box", "engine", "protocol", "history", "events", "strain", "stress"]


def damaged_manifests(text):
    """Lines lost, cut and doubled; keys lost; values of another kind; bits flipped."""
    lines = text.splitlines(keepends=True)
    for i, line in enumerate(lines):
        yield "".join(lines[:i] + lines[i + 1:])
        yield "".join(lines[:i] + [line[: len(line) // 2] + "\n"] + lines[i + 1:])
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        for key in entry:
            for value in (None, "x", -1, 10**9, [], {}, [[]]):
                yield "".join(lines[:i] + [json.dumps({**entry, key: value}) + "\n"] + lines[i + 1:])
            yield "".join(lines[:i] + [json.dumps({k: v for k, v in entry.items() if k != key}) + "\n"] + lines[i + 1:])
    draw = random.Random(1)
    for _ in range(200):
        data = bytearray(text, "utf-8")
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        yield data.decode("utf-8", "replace")


def test_manifests(directory):  # noqa: F811
    path = directory / "manifest.jsonl"
    whole, told, read = path.read_text(), 0, 0
    for text in list(damaged_manifests(whole))[::3]:
        path.write_text(text)
        try:
            open_sweep(directory)
            read += 1
        except StzPostError as error:
            assert "\n" not in str(error) and "manifest.jsonl" in str(error), str(error)
            told += 1
    assert told > 100 and read > 20


def test_a_lost_line_names_the_run(directory, capsys):  # noqa: F811
    path = directory / "manifest.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:5] + lines[6:]))
    assert cli.main(["collect", str(directory), "-o", str(directory / "all.h5")]) == 2
    assert capsys.readouterr().err == f"stz-post: {path}: not a whole manifest: run 4 is missing\n"


def test_a_crash_of_libhdf5_is_told(tmp_path):
    """A child that dies stands for libhdf5."""
    path = str(tmp_path / "run.h5")
    write_result(path)
    code = ("import os, sys; from stzpost.io import files; files._read_all = lambda *a: os.abort();"
            "import stzpost\ntry: stzpost.open_result(sys.argv[1])\nexcept stzpost.StzPostError as e: print(e)")
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.stdout == f"{path}: damaged: reading it crashes libhdf5\n" and done.stderr == ""
