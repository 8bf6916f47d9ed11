# SPDX-License-Identifier: GPL-3.0-or-later
import subprocess
import sys

import h5py
import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result


def test_history_has_units_and_shapes(tmp_path):
    result = open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension(), synthetic.relaxation(zero=2e5)]))
    assert result.history["time_s"].attrs["units"] == "s"
    assert result.history["stress_axial_GPa"].attrs["units"] == "GPa"
    assert result.history["stress_GPa"].sel(component="xx").values == pytest.approx(
        result.history["stress_axial_GPa"].values
    )
    assert [s.type for s in result.segments] == ["strain-rate", "relaxation"]
    assert result.rows(result.segments[0]).sizes["row"] == 251
    assert result.setting("young_GPa") == synthetic.YOUNG and list(result.setting("cells")) == [16, 16, 16]
    assert result.attrs["seed"] == 1 and result.complete


def test_running_file_is_cut_to_its_whole_rows(tmp_path):
    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension()], complete=0)
    with h5py.File(path, "r+") as file:
        for name in list(file["history"]):
            values = file["history"][name][...]
            del file["history"][name]
            extra = 3 if name == "time_s" else 1  # extended, not yet filled: zeros
            file["history"][name] = np.concatenate([values, np.zeros((extra, *values.shape[1:]))])
        file["protocol/segment_00"].attrs["end_s"] = np.nan
    result = open_result(path)
    assert not result.complete
    assert result.history.sizes["row"] == 251
    assert float(result.history["time_s"][-1]) == pytest.approx(0.125e6)


def test_any_table_is_read_by_its_path(tmp_path):
    tables = {"domains/time_s": np.arange(5.0), "domains/events": 100.0 * np.arange(1, 5), "domains": {"step": 100}}
    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension()], tables=tables)
    with h5py.File(path, "r+") as file:
        for name, unit in (("time_s", "s"), ("events", "1")):
            file["domains"][name].attrs.update({"units": unit, "dimensions": "hundred"})
    result = open_result(path)
    assert result.tables() == ["/config", "/domains", "/history"]
    for name in ("/domains", "domains", "/domains/"):
        table = result.table(name)
        assert table["time_s"].attrs["units"] == "s" and table.attrs["step"] == 100
        assert table["time_s"].dims == ("hundred",) and table.sizes["hundred"] == 4  # the rows that all columns have
    assert list(table.to_dataframe()["events"]) == [100, 200, 300, 400]
    assert result.table("/history")["stress_GPa"].sel(component="xx").shape == (251,)
    for name in ("/domain", "/domains/time_s", "/"):
        with pytest.raises(StzPostError, match=f"no table {name}; it has /config, /domains, /history"):
            result.table(name)


WRITER = """
import sys, time
import h5py
file = h5py.File(sys.argv[1], "r+")  # holds the lock, as an engine does
for name in list(file["history"]):
    values = file["history"][name][...]
    del file["history"][name]
    tail = values.shape[1:]
    data = file["history"].create_dataset(name, data=values, maxshape=(None, *tail), chunks=(64, *tail))
    data.resize(len(values) + 10, axis=0)
    data[-10:] = values[-1]
file.flush()
print("flushed", flush=True)
time.sleep(60)
"""


def test_file_of_a_running_and_of_a_killed_writer(tmp_path):
    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension()], complete=0)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"flushed\n"
        running = open_result(path).history.sizes["row"]
        writer.kill()
    assert running == open_result(path).history.sizes["row"] == 261


def test_values_of_the_resolved_input_go_by_their_full_path(tmp_path):
    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension()])
    hold, pull = ("  {\n    type = %s;\n    rate_per_s = %s;\n  }" % one for one in (('"hold"', "0.5"), ('"tension"', "0.25")))
    with h5py.File(path, "r+") as file:
        del file["config/resolved"]
        file["config/resolved"] = f"# model: m (written below)\nprotocol: (\n{hold},\n{pull}\n);\norder: {{\n  loss = 0.6;\n}};\n"
    result = open_result(path)
    assert result.resolved("order.loss") == 0.6 and result.resolved("protocol[1].rate_per_s") == 0.25
    assert result.model("none") == "m" and result.resolved("order.other", 3) == 3
    for name, words in {
        "rate_per_s": r"rate_per_s is no full path .*, needs protocol\[0\]\.rate_per_s or protocol\[1\]\.rate_per_s",
        "loss": "loss is no full path .*, needs order.loss",
        "order.other": "no order.other in",
    }.items():
        with pytest.raises(StzPostError, match=words):
            result.resolved(name)


def test_errors_are_one_line_that_names_the_file(tmp_path):
    def message(path):
        with pytest.raises(StzPostError) as caught:
            open_result(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)
        return str(caught.value)

    assert "no such file" in message(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5\n" * 100)
    assert "not a readable HDF5 file" in message(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    assert "not a result of stzkmc" in message(tmp_path / "other.h5")
    path = synthetic.write(tmp_path / "new.h5", [synthetic.tension()])
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    assert "format_version: got 2, needs 1" in message(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 1
        del file["history"]
    assert "no dataset /history/time_s" in message(path)
