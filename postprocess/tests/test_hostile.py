# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that nobody would write, through the readers of text: a failure is a StzPostError of one line, never another
exception, and no reader waits for ever. The changes are the same at every run; STZ_HOSTILE=N makes N of each file, STZ_HOSTILE_FROM=N others than before."""
import json
import os
import pathlib
import random
import unicodedata
import warnings

import pytest
import synthetic
from test_sweep import directory  # noqa: F401 (a fixture)

from stzpost import StzPostError, open_sweep, text
from stzpost.analysis import measured as analysis
from stzpost.cli import main as cli
from stzpost.io import dataset, measured
from stzpost.io.resolved import settings
from stzpost.io.sweep import read_manifest

FILES = pathlib.Path(__file__).parent / "data" / "measured"
COUNT, FROM = int(os.environ.get("STZ_HOSTILE", "12")), int(os.environ.get("STZ_HOSTILE_FROM", "0"))
WORDS = [b"", b"-", b"nan", b"inf", b"1e400", b"-1", b"0", b"9" * 400, b"\xff", b"\x00", b"\n", b"\r", b"\t", b";", b",", b"\"", b"'",
         b"[", b"]", b"{", b"}", b"null", b"true", b"\\u0000", b"\\ud800", b"</script>", b"\x1b[31m", "μ".encode(), b"1,5", b"%",
         b"\xef\xbb\xbf", b"=1+1", b"(GPa)", b"time_s", b"stress"]


def changed(data, number):
    """A copy of `data` with one to four changes."""
    draw = random.Random(number)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(5)
        if kind == 0:
            data = data[:at] + draw.choice(WORDS) + data[at + draw.randrange(8):]
        elif kind == 1:
            data = data[:at] + bytes([draw.randrange(256)]) + data[at + 1:]
        elif kind == 2:
            data = data[:at] + data[at + draw.randrange(60):]
        elif kind == 3:
            part = data[at:at + draw.randrange(60)]
            data = data[:at] + part * draw.randint(2, 5) + data[at:]
        else:
            other = draw.randrange(len(data) + 1)
            data = data[:at] + data[other:other + 40] + data[at:]
    return data


def survives(read, *arguments):
    """Reads; of a failure the command tells one line (text.plain)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(*arguments)
    except StzPostError as error:
        said = text.plain(error)
        assert said and all(one.isprintable() or unicodedata.category(one) == "Zs" for one in said), repr(str(error))


def analyse(path):
    analysis.analyse(measured.read(path), analysis.Settings(stiffness_GPa=72.0))


@pytest.mark.parametrize("name", sorted(one.name for one in FILES.iterdir()))
def test_measured_files(name, tmp_path):
    data = (FILES / name).read_bytes()
    path = tmp_path / name
    for number in range(FROM, FROM + COUNT):
        path.write_bytes(changed(data, f"{name} {number}"))
        survives(analyse, str(path))


@pytest.mark.parametrize("power", ["G" + 400 * "9", "GPa1e+400"], ids=["long", "infinite"])
def test_power_of_a_unit(tmp_path, power):
    path = tmp_path / "m.csv"
    path.write_text(f"time_s,stress_GPa,error_{power}\n0,3.0,0.02\n10,2.9,0.02\n", encoding="utf-8")
    assert "error" not in measured.read(str(path)).columns  # it has no unit that one can measure in


SIZES = ["5e-324", "1e-160", "1e160", "1e308", "1e999", "nan", "0", "-1"]


@pytest.mark.parametrize("size", SIZES)
def test_sizes_that_nobody_measures(size, tmp_path):
    """In each column, in one row or in all."""
    path = tmp_path / "m.csv"
    for head, rows in (("time_s,stress_GPa,error_GPa", [[10**k, 4 - k / 9, 0.01] for k in range(6)]),
                       ("strain,stress_GPa", [[k / 1000, min(k / 10, 3)] for k in range(60)])):
        for column in range(len(rows[0])):
            for chosen in {3}, {0}, set(range(60)):
                cells = [[size if n in chosen and k == column else one for k, one in enumerate(row)] for n, row in enumerate(rows)]
                path.write_text("\n".join([head, *(",".join(map(str, row)) for row in cells)]) + "\n")
                survives(analyse, str(path))


def test_options_that_nobody_means(tmp_path, capsys):
    """A number that is none, no unit has, or overflows: a result in JSON that is JSON, or one line."""
    path = str(synthetic.write(tmp_path / "a.h5", [synthetic.relaxation()]))
    (tmp_path / "m.csv").write_text("time_s,stress_GPa,error_GPa\n" + "".join(f"{10**k},{4 - k / 9},0.01\n" for k in range(2, 6)))
    table = str(tmp_path / "m.csv")
    for size in [*SIZES, "1e-30", "1e30"]:
        for words in (["energy", path, f"--length={size}"], ["measured", table, f"--error={size}"],
                      ["measured", table, f"--m-stress={size}"], ["compare", "--measured", table, path, f"--error={size}"]):
            code = cli.main([*words, "--json"])
            said = capsys.readouterr()
            if code == 0:
                json.loads(said.out, parse_constant=pytest.fail)
            else:
                assert code == 2 and said.err.count("\n") == 1, (words, said.err)


def test_manifests(directory):  # noqa: F811
    path = pathlib.Path(directory) / "manifest.jsonl"
    data = path.read_bytes()
    for number in range(10 * FROM, 10 * (FROM + COUNT)):
        path.write_bytes(changed(data, f"manifest {number}"))
        survives(read_manifest, directory)
        survives(open_sweep, directory)


def test_lists_without_end(directory, tmp_path):  # noqa: F811
    deep = b"[" * 200_000
    path = pathlib.Path(directory) / "manifest.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + deep + b"\n")
    assert len(read_manifest(directory)[1]) == 12
    path.write_bytes(deep + b"\n")
    with pytest.raises(StzPostError, match="not the manifest of a sweep"):
        read_manifest(directory)
    (tmp_path / "a.hdf.series").write_bytes(deep)
    with pytest.raises(StzPostError, match="not a list of snapshots"):
        dataset.snapshot_files(str(tmp_path / "a.h5"))


def test_lists_of_snapshots(tmp_path):
    path = tmp_path / "a.hdf.series"
    whole = json.dumps({"file-series-version": "1.0", "files": [{"name": "a.0000.hdf", "time": 0.0}]}).encode()
    for number in range(10 * FROM, 10 * (FROM + COUNT)):
        path.write_bytes(changed(whole, f"series {number}"))
        survives(dataset.snapshot_files, str(tmp_path / "a.h5"))
    for name in (5, None, ["a"], "a\0b", "\ud800"):
        path.write_text(json.dumps({"files": [{"name": name}]}))
        survives(dataset.snapshot_files, str(tmp_path / "a.h5"))


def test_resolved_inputs():
    whole = b'lattice: {\n  cells = [8, 8, 8]; # input\n};\nprotocol: (\n  {\n    type = "creep"; # input\n  }\n);\nrun: { seed = 1L; };\n'
    for number in range(50 * FROM, 50 * (FROM + COUNT)):
        survives(settings, changed(whole, f"resolved {number}").decode(errors="replace"))


@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_no_reader_waits(kind, directory, tmp_path):  # noqa: F811
    """A pipe that nobody writes, and a link to what has no end, in the place of the lists that are read unasked."""
    path = synthetic.write(tmp_path / "a.h5")
    for name in pathlib.Path(directory) / "manifest.jsonl", tmp_path / "a.hdf.series":
        name.unlink(missing_ok=True)
        os.mkfifo(name) if kind == "pipe" else name.symlink_to("/dev/zero")
    for read, argument in (read_manifest, directory), (dataset.snapshot_files, str(path)):
        with pytest.raises(StzPostError, match="is no file"):
            read(argument)
    assert cli.main(["collect", str(directory)]) == 2
