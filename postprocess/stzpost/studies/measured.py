# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured values, read from targets.toml, from which verdicts, reports and pages draw."""
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Optional

INPUT, CALIBRATED, FOLLOWS, PREDICTION, NOT_MODELLED = "input", "calibrated", "follows", "prediction", "not modelled"


@dataclass(frozen=True)
class Value:
    """A number or a range."""

    unit: str
    value: Optional[float] = None
    error: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    derived: str = ""  # from which other values, and how: not measured


@dataclass(frozen=True)
class Measured:
    """A row of the list; its fields are told in targets.toml."""

    id: str
    quantity: str
    measured: str
    short: str
    cls: str
    key: str
    remark: str = ""
    values: dict = field(default_factory=dict)


def _read():
    text = resources.files(__package__).joinpath("targets.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    rows = {}
    for row in table["row"]:
        row |= {"cls": row.pop("class"), "key": row.get("key", row["id"])}
        row["values"] = {name: Value(**value) for name, value in row.get("values", {}).items()}
        rows[row["key"]] = Measured(**row)
    return table["source"], rows


SOURCE, ROWS = _read()


def value(key, name):
    """A number: measured.value("T4", "m")."""
    return ROWS[key].values[name].value
