# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured files as laboratories have them: what is read is what was written, the true V lies in the interval, what
could be misread is asked, and intervals cover the truth.

The files of data/measured are sigma = 3.30 - 0.095 ln(1 + t/60 s) GPa at 295 K with noise, once as a displacement under
a spring of 72 GPa: V = 131.2 cubic angstroms for M = 3.06."""
import json
import pathlib

import measurements
import numpy as np
import pytest
import synthetic
import test_synth

from stzpost import StzPostError, open_result, synth
from stzpost.analysis import measured as analysis
from stzpost.analysis import relaxation
from stzpost.cli import main as cli
from stzpost.io import cells, measured
from stzpost.studies import compare

FILES = pathlib.Path(__file__).parent / "data" / "measured"
TRUTH = 3.06 * 1.380649e-23 * 295.0 / 0.095e9 * 1e30  # in SI, apart from the package's own units
SPRING = analysis.Settings(stiffness_GPa=72.0)
GIVE_V = {
    "01-ideal.csv": {},
    "02-semicolon-comma-bom.csv": {},
    "07-nan.csv": {},
    "08-hours-mpa.csv": {},
    "10-no-error-extra.csv": {},
    "14-semicolon-only.csv": {},
    "15-starts-at-zero.csv": {},
    "12-mpa-values-in-gpa-column.csv": {"stress": "MPa"},
    "09-displacement-nm.csv": {},
    "09b-displacement-um.csv": {},
}
REFUSED = {
    "04-head.txt": "record much longer",
    "05-head.csv": "record much longer",
    "09-displacement-nm.csv": "--stiffness GPA",
    "12-mpa-values-in-gpa-column.csv": "MPa, perhaps.*--unit stress=MPa",
    "bragg2.csv": "a fraction, perhaps.*--unit bragg=fraction",
}
TIME = np.array([7200.0, 86400.0, 691200.0, 1500000.0, 3024000.0, 4406400.0])
STRESS = np.array([2.8444, 2.6150, 2.4061, 2.3202, 2.2623, 2.2158])


def analysed(path, choice=measured.Choice(), settings=analysis.Settings()):
    return analysis.analyse(measured.read(str(path), choice), settings)


@pytest.mark.parametrize("name", GIVE_V)
def test_the_true_volume_lies_in_the_interval(name):
    found = analysed(FILES / name, measured.Choice(units=GIVE_V[name]), SPRING)
    stand = [one for one in found.estimates if not one.refused]
    assert stand and found.rows == (198 if name.startswith("07") else 6)
    for one in stand:
        volume, low, high = one.volume(3.06)
        assert low <= TRUTH <= high and low < volume < high


@pytest.mark.parametrize("name", REFUSED)
def test_what_gives_none_says_what_to_do(name):
    with pytest.raises(StzPostError, match=REFUSED[name]):
        found = analysed(FILES / name)
        raise StzPostError(found.estimates[0].refused)


def test_bragg_fractions_as_said():
    found = analysed(FILES / "bragg2.csv", measured.Choice(units={"bragg": "fraction"}))
    assert [round(one["fraction"], 3) for one in found.levels] == [0.55, 0.7, 0.6, 0.4] and found.levels[0][
        "scans"
    ] == 2


def rows(time="{:.1f}", stress="{:.4f}", separator=",", scale=1.0, clock=1.0, decimal=".", end="\n"):
    lines = [separator.join((time.format(t / clock), stress.format(y * scale))) + end for t, y in zip(TIME, STRESS)]
    return "".join(lines).replace(".", decimal)


LAYOUTS = {
    "tabs, row of units": ("Time\tStress\n(s)\t(MPa)\n" + rows(separator="\t", scale=1e3), "utf-8"),
    "spaces": ("time (s)   stress (GPa)\n" + rows(separator="   "), "utf-8"),
    "preamble": (
        "Machine;ACME 5;\nArea;0,36;mm2\nDate;3.4.2026;\n\nZeit (s);Spannung (GPa)\n"
        + rows(separator=";", decimal=","),
        "latin-1",
    ),
    "comment head": ("# a test\n# time_s stress_GPa\n" + rows(separator=" "), "utf-8"),
    "utf-16": ("time_s\tstress_GPa\n" + rows(separator="\t"), "utf-16"),
    "latin-1": ("Zeit [s];Spannung [N/mm²];Länge [µm]\n" + rows(separator=";", scale=1e3, end=";20\n"), "latin-1"),
    "thousands": ("time_s;stress_MPa\n" + "".join(f"{t:,.1f};{1e3 * y:,.1f}\n" for t, y in zip(TIME, STRESS)), "utf-8"),
    "quoted commas": (
        "time_min,stress_GPa\n"
        + "".join(f'"{t / 60:.1f}","{y:.4f}"\n'.replace(".", ",") for t, y in zip(TIME, STRESS)),
        "utf-8",
    ),
    "footer, backwards, repeated": (
        "t [h];sigma [GPa]\n"
        + "".join(rows("{:.6f}", separator=";", clock=3600).splitlines(True)[::-1])
        + "24.000000;2.6150\nend of test;\n",
        "utf-8",
    ),
    "exponents": ("Elapsed time, s;True stress, Pa\n" + rows("{:.6E}", "{:.5E}", ";", 1e9), "utf-8"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path, name):
    text, encoding = LAYOUTS[name]
    path = tmp_path / "mine.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    found = measured.clean(measured.read(str(path)), ("time", "stress"), clock=True)
    assert found.columns["time"] == pytest.approx(TIME, rel=1e-5) and found.columns["stress"] == pytest.approx(
        STRESS, rel=1e-4
    )


def test_workbooks(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "notes"
    book.active.append(["nothing here"])
    sheet = book.create_sheet("curve")
    for row in (
        ["Relaxation"],
        [],
        ["Time", "Stress"],
        ["[min]", "[MPa]"],
        *([t / 60, 1e3 * y] for t, y in zip(TIME, STRESS)),
    ):
        sheet.append(row)
    book.save(tmp_path / "mine.xlsx")
    found = measured.read(str(tmp_path / "mine.xlsx"), measured.Choice(cells.Format(sheet="curve")))
    assert found.columns["time"] == pytest.approx(TIME) and found.columns["stress"] == pytest.approx(STRESS)
    with pytest.raises(StzPostError, match="no sheet x: it has notes, curve"):
        measured.read(str(tmp_path / "mine.xlsx"), measured.Choice(cells.Format(sheet="x")))
    (tmp_path / "torn.xlsx").write_bytes((tmp_path / "mine.xlsx").read_bytes()[:900])
    with pytest.raises(StzPostError, match="no workbook that can be read"):
        measured.read(str(tmp_path / "torn.xlsx"))


ASKED = {
    "time_s;stress_GPa\n7200;2,844\n86400;2,615\n": "a decimal comma, or thousands",
    "time_s,stress_GPa\n7200,0,2,8444\n86400,0,2,6150\n": "2 names for 4 columns",
    "time_s,stress\n1,2\n2,1\n": "column stress: no unit.*--unit stress=GPa",
    "time_s,stress_MPa\n1,3.3\n2,3.2\n": "GPa, perhaps",
    "time_s,stress_GPa,temperature_K\n1,3,22\n2,2.9,22\n": "below 77 K: °C, perhaps",
    "strain,stress_GPa,time_s\n1,3,1\n2,2.9,2\n": "percent, perhaps",
    "time_s,true stress [GPa],nominal stress [GPa]\n1,3,3\n2,2,2\n": "both look like stress",
    "time_mm,stress_GPa\n1,3\n2,2\n": "unit mm is none of time",
    "time_s,strain_%\n1,3\n2,4\n": "--kind creep|creep say --stress",
    "x,y\n1,3\n2,4\n": "--column ROLE=NAME",
    "time_s,stress_GPa\nnone,here\n": "no rows of two or more numbers",
    "time_s,stress_GPa\n1,1\n2,2.0\n3,2.8\n4,3.3\n5,3.2\n6,3.15\n7,3.12\n8,3.10\n": "--from 4",
}


@pytest.mark.parametrize("text", ASKED)
def test_what_could_be_misread_is_asked(tmp_path, text):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(StzPostError, match=ASKED[text]):
        analysed(tmp_path / "mine.csv")


def test_what_was_asked_can_be_said(tmp_path):
    (tmp_path / "mine.csv").write_text("a;b;c\n7200;2,844;x\n86400;2,615;y\n")
    choice = measured.Choice(cells.Format(decimal=","), {"time": "a", "stress": "2"}, {"time": "s", "stress": "GPa"})
    found = measured.read(str(tmp_path / "mine.csv"), choice)
    assert list(found.columns["stress"]) == [2.844, 2.615]
    assert [one["what"] for one in found.left_out] == ["column c"]
    with pytest.raises(StzPostError, match="no such column; it has a, b, c"):
        measured.read(str(tmp_path / "mine.csv"), measured.Choice(cells.Format(decimal=","), {"time": "z"}))


def test_what_is_left_out_is_counted(tmp_path):
    text = "time_s,stress_GPa,note\n0,3.3,a\n7200,2.8444,b\n7200,2.8446,c\n86400,,d\n86401,2.6,e\n5,x,f\n"
    (tmp_path / "mine.csv").write_text(text)
    found = measured.clean(measured.read(str(tmp_path / "mine.csv")), ("time", "stress"), clock=True)
    counts = {one["what"]: one["count"] for one in found.left_out}
    assert counts == {
        "column note": 1,
        "rows empty or not a number": 2,
        "rows at t = 0": 1,
        "rows of a repeated time, merged": 1,
    }
    assert (
        found.columns["stress"] == pytest.approx([2.8445, 2.6]) and "  left out: 1 rows at t = 0" in found.understood()
    )


def test_all_that_synth_writes(tmp_path):
    """Curves and counts give their estimates; maps and images say that they are none."""
    path = test_synth.specimen(tmp_path, "00000000000000a1")
    for kind in synth.KINDS:
        chosen = synth.KINDS[kind].Settings()
        synth.make_set(kind, [str(path)], str(tmp_path / kind), chosen, 1, 0.0)
    kinds = {}
    for one in sorted([*tmp_path.rglob("*.csv"), *tmp_path.rglob("curves.h5")]):
        try:
            kinds.setdefault(analysed(one).kind, set()).add(one.stem.rstrip("_0123456789"))
        except StzPostError as error:
            assert "columns understood" in str(error) or "a fraction, perhaps" in str(error), one
    assert {"measured", "truth", "curves"} <= kinds["relaxation"] and kinds["nbed"] == {"counts"}
    with pytest.raises(StzPostError, match="HDF5 without curves"):
        analysed(next(tmp_path.rglob("signal.hspy")))


def test_a_run_written_as_a_file_gives_what_the_run_gives(tmp_path):
    run = open_result(synthetic.write(tmp_path / "run.h5", [synthetic.relaxation(s=0.1)]))
    fit = relaxation.analyse(run).fit
    segment = run.segments[0]
    time, stress = run.times(segment), run.rows(segment)["stress_axial_GPa"].values
    (tmp_path / "run.csv").write_text(measurements.text("time_s,stress_GPa", [time, stress]))
    found = analysed(tmp_path / "run.csv")
    for one in found.estimates:
        assert one.refused == "" and one.s == pytest.approx(fit.parameters["s"], rel=0.01)


def covered(tmp_path, kind, count):
    """(inside, standing) of `count` synthetic measurements."""
    maker, method = measurements.KINDS[kind]
    rng, inside, standing = np.random.default_rng(3), 0, 0
    for _ in range(count):
        s = rng.uniform(0.08, 0.12)
        files, settings = maker(rng, s)
        outcomes = []
        for number, text in enumerate(files):
            path = tmp_path / f"m{number}.csv"
            path.write_text(text)
            outcomes.append(analysed(path, settings=analysis.Settings(**settings)))
        found = analysis.together(outcomes) or outcomes[0]
        one = next(one for one in found.estimates if one.method == method)
        standing += not one.refused
        inside += not one.refused and one.interval[0] <= s <= one.interval[1]
    return inside, standing


@pytest.mark.parametrize("kind", list(measurements.KINDS)[::3])
def test_intervals_of_twenty(tmp_path, kind):
    """Of 20 intervals of 95 % at least 16 cover the truth (binomial: fewer by chance 0.3 %), at most 4 are refused."""
    inside, standing = covered(tmp_path, kind, 20)
    assert standing >= 16 and inside >= standing - 4


@pytest.mark.full
@pytest.mark.parametrize("kind", measurements.KINDS)
def test_intervals_of_a_hundred(tmp_path, kind):
    """90 to 99 % of 100 intervals cover the truth, at most 10 are refused."""
    inside, standing = covered(tmp_path, kind, 100)
    assert standing >= 90 and 0.90 <= inside / standing <= 0.99


def test_intervals_of_bragg_counts(tmp_path):
    """100 sets of 8 scans whose clusters scatter: Student's interval covers the share in 88 to 99 % (binomial, 3
    errors)."""
    rng, inside = np.random.default_rng(5), 0
    for _ in range(100):
        counts = rng.binomial(100, rng.beta(12, 8, 8))
        (tmp_path / "n.csv").write_text(measurements.text("strain_%,bragg", [np.full(8, 5.0), counts]))
        low, high = analysed(tmp_path / "n.csv").levels[0]["interval"]
        inside += low <= 0.6 <= high
    assert 88 <= inside <= 99


def test_the_command(tmp_path, capsys):
    path, figure = str(FILES / "01-ideal.csv"), tmp_path / "figure.png"
    assert cli.main(["measured", path, "-o", str(figure)]) == 0 and figure.stat().st_size > 1000
    said = capsys.readouterr().out
    assert "stress: stress_GPa, 2.2158 to 2.8444 GPa" in said and "V = 122.9 Å³" in said and "295 K, assumed" in said
    assert cli.main(["measured", path, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert list(record) == ["file", "kind", "rows", "left_out", "estimates"] and record["rows"] == 6
    names = ["method", "s_GPa", "s_interval_GPa", "V_A3", "m", "t0_s", "refused"]
    assert all(list(one) == names and list(one["V_A3"]) == ["1", "sqrt3", "3.06"] for one in record["estimates"])
    first = record["estimates"][0]
    assert first["V_A3"]["3.06"] == pytest.approx(3.06 * 1.380649e-23 * 295 / (first["s_GPa"] * 1e9) * 1e30, rel=1e-6)
    assert first["refused"] is None and record["estimates"][1]["refused"] and record["estimates"][1]["s_GPa"] is None
    assert cli.main(["measured", str(FILES / "12-mpa-values-in-gpa-column.csv")]) == 2
    assert "MPa, perhaps" in capsys.readouterr().err


def test_creep_under_stresses_that_are_said(tmp_path):
    """The stress may be said instead of being a column; a displacement needs the length."""
    points = []
    for stress in (2.8, 3.0, 3.2):
        rate = 1e-8 * np.exp((stress - 3.0) / 0.1)
        time = np.linspace(1, 0.01 / rate, 40)
        (tmp_path / "c.csv").write_text(measurements.text("time_s,u_um", [time, 20.0 * rate * time]))
        found = analysed(tmp_path / "c.csv", settings=analysis.Settings("creep", stress_GPa=stress, length_um=20.0))
        points.append(found)
        (tmp_path / "c.csv").write_text(measurements.text("time_s,strain_%", [time, 100 * rate * time]))
        assert analysed(tmp_path / "c.csv", settings=analysis.Settings(stress_GPa=stress)).kind == "creep"
    assert analysis.together(points).estimates[0].s == pytest.approx(0.1, rel=1e-6)


def test_several_files_and_their_figures(tmp_path, capsys):
    """Each kind draws; several rates, stresses or temperatures give one estimate more."""
    rng = np.random.default_rng(2)
    for name, maker in (
        ("t", measurements.tension),
        ("c", measurements.creep),
        ("i", measurements.indentation),
        ("j", measurements.rate_jump),
    ):
        texts, _ = maker(rng, 0.1)
        paths = [tmp_path / f"{name}{i}.csv" for i in range(len(texts))]
        for path, text in zip(paths, texts):
            path.write_text(text)
        assert cli.main(["measured", *map(str, paths), "--json", "-o", str(tmp_path / f"{name}.png")]) == 0
        records = json.loads(capsys.readouterr().out)
        joint = records[-1] if isinstance(records, list) else records
        assert joint["estimates"][0]["s_GPa"] == pytest.approx(0.1, rel=0.15)
        assert isinstance(records, list) == (len(paths) > 1) and (tmp_path / f"{name}.png").stat().st_size > 1000
    for temperature in (250, 300, 350):
        time = np.geomspace(1, 1e6, 40)
        stress = 3.3 * (1 - (temperature - 300) / 1000) - 0.1 * temperature / 300 * np.log1p(time / 50)
        (tmp_path / f"r{temperature}.csv").write_text(
            measurements.text("time_s,stress_GPa,T_K", [time, stress, np.full(40, temperature)])
        )
    assert cli.main(["measured", *(str(tmp_path / f"r{t}.csv") for t in (250, 300, 350)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[-1]["estimates"][-1]["method"] == "master curve"


@pytest.mark.parametrize(
    "words, message",
    [
        (["--unit", "stress"], "needs ROLE=VALUE"),
        (["--temperature", "-3"], "needs a positive number"),
        (["--kind", "pull"], "needs one of relaxation"),
        (["--flow", "0.1"], "needs two strains"),
        (["--decimal", ";"], "needs , or ."),
        (["--kind", "tension"], "needs a column of strain"),
        (["--separator", "abc"], "needs one of tab"),
    ],
)
def test_wrong_words(capsys, words, message):
    assert cli.main(["measured", str(FILES / "01-ideal.csv"), *words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_compare_reads_what_measured_reads(tmp_path):
    """All files with V are read; errors that a file lacks are the scatter, which is said."""
    for name in GIVE_V:
        found = compare.read(str(FILES / name), measured.Choice(units=GIVE_V[name]))
        assert len(found.columns["time_s"]) in (6, 198)
        assert name[:2] not in ("02", "10") or any("the scatter about the log law" in line for line in found.said)
