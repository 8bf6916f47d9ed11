# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of measured files: which column is what, in which unit, and rows fit for an analysis.

Nothing is taken silently: what was understood and what was left out is said, and a value that looks like another unit
is refused until the user says the unit."""
from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from ..errors import StzPostError
from . import cells
from .measure import POISSON, true as to_true

# What a column can be: its unit here, and the words of its name in tables of laboratories.
ROLES = {
    "time": ("s", "time t zeit temps 时间"),
    "stress": ("GPa", "stress sigma σ spannung contrainte 应力"),
    "strain": ("1", "strain epsilon eps ε e dehnung deformation 应变"),
    "rate": ("1/s", "rate strain-rate dehnrate vitesse"),
    "displacement": ("um", "displacement disp u extension elongation weg verschiebung verlangerung deplacement 位移"),
    "length": ("um", "length l0 gauge messlange longueur"),
    "temperature": ("K", "temperature temp T temperatur 温度"),
    "hardness": ("GPa", "hardness H harte durete"),
    "force": ("N", "force load F kraft last 力"),
    "area": ("mm^2", "area A querschnitt section"),
    "error": ("", "error err sd std uncertainty unsicherheit fehler incertitude"),
    "bragg": ("1", "bragg br found"),
    "patterns": ("1", "patterns"),
    "volume": ("angstrom^3", "volume V"),
    "factor": ("1", "factor M"),
}
ERROR_OF = ("stress", "displacement", "volume", "hardness", "strain")  # what an error may belong to, by its unit
FRACTIONS = ("strain", "bragg", "patterns", "factor")  # numbers that may stand without a unit
LEAST = 1e-30  # number that may be measured, 0 apart, and the reciprocal of the largest: their squares are numbers still
POSITIVE = ("error", "length", "factor", "patterns", "area", "temperature", "rate", "volume")
QUALIFIERS = {
    "true",
    "axial",
    "engineering",
    "eng",
    "eng.",
    "nominal",
    "tensile",
    "test",
    "elapsed",
    "run",
    "flow",
    "total",
    "plastic",
    "technische",
    "wahre",
    "vickers",
    "indentation",
}
YOUNG_GPA = 72.0  # of the film; a stress above a fifth of it is none
SHOWN = {"s": "s", "um": "µm", "mm^2": "mm²", "angstrom^3": "Å³"}


@dataclass(frozen=True)
class Choice:
    """What the user says about the columns, beside the format of the file."""

    format: cells.Format = cells.Format()
    columns: dict = field(default_factory=dict)  # role -> name or number of a column
    units: dict = field(default_factory=dict)  # role or name of a column -> unit
    young_GPa: float = YOUNG_GPA
    area_mm2: Optional[float] = None  # turns a force into a stress
    measure: Optional[str] = None  # "true" or "engineering"; None: told from the columns, else true
    poisson: float = POISSON


@dataclass
class Measured:
    """Columns by role, in the units of ROLES; `source` says of each where it comes from."""

    path: str
    columns: dict
    source: dict
    said: list
    left_out: list = field(default_factory=list)  # {"what", "count"}
    error_of: str = ""  # the column that the errors belong to
    used: set = field(default_factory=set)  # columns that count by their mean

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def leave_out(self, what: str, keep: np.ndarray) -> None:
        """Rows that do not count; nothing is left out silently."""
        if not np.all(keep):
            self.left_out.append({"what": f"rows {what}", "count": int(np.count_nonzero(~keep))})
            self.columns = {name: values[keep] for name, values in self.columns.items()}

    def understood(self) -> list:
        """Lines that say what was read."""
        lines = [f"{self.path}: {', '.join(self.said)}; {self.rows} rows"]
        for role, values in self.columns.items():
            unit = SHOWN.get(unit_of(self, role), unit_of(self, role))
            unit = "" if unit == "1" else f" {unit}"
            span = f"{np.min(values):.6g} to {np.max(values):.6g}{unit}" if len(values) else "no rows"
            lines.append(f"  {role}: {self.source[role]}, {span}")
        lines += [
            (
                f"  left out: {one['count']} {one['what']}"
                if one["what"].startswith("rows")
                else f"  left out: {one['what']}"
            )
            for one in self.left_out
        ]
        return lines


def unit_of(measured: Measured, role: str) -> str:
    """Unit in which a column stands here; of an error it is that of what it belongs to."""
    return ROLES[role][0] or ROLES[measured.error_of][0] if role == "error" else ROLES[role][0]


def read(path: str, choice: Choice = Choice()) -> Measured:
    """Columns that are known, converted and looked at. Rows are all there."""
    table = cells.read(path, choice.format)
    found = _roles(table, choice)
    used = {column for column, _ in found.values()}
    left = [table.names[i] or f"column {i + 1}" for i in range(len(table.names)) if i not in used]
    measured = Measured(table.path, {}, {}, table.said, [{"what": f"column {name}", "count": 1} for name in left])
    for role in sorted(found, key=lambda role: role == "error"):
        column, unit = found[role]
        _convert(measured, table, role, column, unit, choice)
    _expect_sizes(measured)
    _stress_of_force(measured, choice)
    _to_true(measured, choice)
    return measured


def _expect_sizes(measured):
    for role, values in measured.columns.items():
        sizes = np.abs(values[np.isfinite(values) & (values != 0)])
        odd = sizes[(sizes < LEAST) | (sizes > 1 / LEAST)]
        if odd.size:
            raise StzPostError(f"{measured.path}: {role}: got {odd[0]:g}, which is no measured number")


def clean(measured: Measured, needed: tuple, clock: bool) -> Measured:
    """Rows in which all needed columns have a number; with `clock` times after zero, in order, and each once."""
    columns = measured.columns
    for role in [role for role in columns if role not in needed]:
        columns.pop(role)
        if role not in measured.used:
            measured.left_out.append({"what": f"column {measured.source[role]} (not used)", "count": 1})
    finite = np.all([np.isfinite(columns[role]) for role in needed], axis=0)
    measured.leave_out("empty or not a number", finite)
    for role in POSITIVE:
        if role in measured.columns and np.any(measured.columns[role] <= 0):
            raise StzPostError(
                f"{measured.path}: {role}: got {np.min(measured.columns[role]):g}, needs a positive number"
            )
    if clock:
        measured.leave_out("at t = 0", measured.columns["time"] != 0)
        measured.leave_out("before t = 0", measured.columns["time"] > 0)
        _in_order(measured)
    if not measured.rows:
        raise StzPostError(f"{measured.path}: no row is left that has numbers in {', '.join(needed)}")
    return measured


def cut(measured: Measured, start_s: float, stop_s: float) -> None:
    """Leaves the rows between two times; times then count from the first."""
    time = measured.columns["time"]
    measured.leave_out("outside --from and --to", ~(time < start_s) & ~(time > stop_s))
    if start_s:
        measured.columns["time"] = measured.columns["time"] - start_s


def _in_order(measured):
    """Ascending times; rows of the same time become their mean."""
    time = measured.columns["time"]
    if np.any(np.diff(time) < 0):
        measured.said.append("rows put in order of time")
    order = np.argsort(time, kind="stable")
    unique, inverse, counts = np.unique(time[order], return_inverse=True, return_counts=True)
    for role, values in measured.columns.items():
        mean = np.bincount(inverse, values[order]) / counts
        measured.columns[role] = mean / np.sqrt(counts) if role == "error" else mean
    measured.columns["time"] = unique
    if len(unique) < len(time):
        count = len(time) - len(unique)
        measured.left_out.append({"what": "rows of a repeated time, merged", "count": count})


def _roles(table, choice):
    """{role: (column, unit)} by the user's word, else by the names."""
    for role in [*choice.columns, *choice.units]:
        if role not in ROLES and role not in table.names:
            raise StzPostError(f"--column, --unit: {role}: got neither a column nor one of {', '.join(ROLES)}")
    found = {}
    for role, name in choice.columns.items():
        found[role] = _column(table, role, name)
    parsed = [_parsed(name, unit) for name, unit in zip(table.names, table.units)]
    told = set(found.values())
    for rank in (0, 1):  # exact names win over names that contain one
        for column, (words, _) in enumerate(parsed):
            role = _role(words, rank)
            if role is None or column in told or (role in found and found[role] < 0):
                continue
            if role in found and role not in choice.columns and _role(parsed[found[role]][0], rank) == role:
                names = f"{table.names[found[role]]} and {table.names[column]}"
                raise StzPostError(f"{table.path}: columns {names} both look like {role}: say --column {role}=NAME")
            if role not in found:
                found[role] = column
                told.add(column)
    units = dict(choice.units)
    if (
        "error" in found and "error" not in units
    ):  # a unit said of a column holds for errors with the same unit in the head
        same = [
            of for of in ERROR_OF if of in units and of in found and parsed[found[of]][1] == parsed[found["error"]][1]
        ]
        units |= {"error": units[same[0]]} if same else {}
    chosen = {role: (at, units.get(role) or units.get(table.names[at]) or parsed[at][1]) for role, at in found.items()}
    sure = lambda role, at, unit: unit or role in choice.columns or role in FRACTIONS or len(table.names[at]) > 1
    return {role: (at, unit) for role, (at, unit) in chosen.items() if sure(role, at, unit)}


def _column(table, role, name):
    """Number of a column from its name, the name without its unit, or its number from 1."""
    if name in table.names:
        return table.names.index(name)
    if name.isdigit() and 1 <= int(name) <= len(table.names):
        return int(name) - 1
    known = ", ".join(one or str(i + 1) for i, one in enumerate(table.names))
    raise StzPostError(f"{table.path}: --column {role}={name}: no such column; it has {known}")


UNIT_AT_END = re.compile(
    r"^(.*?)\s*(?:[\[(]\s*([^\[\]()]*)\s*[\])]|(?:/|,)\s*([^\s,/][^,]*)|_(per_[a-zA-Z]+|[^_\s]+))\s*$"
)


def _parsed(name, unit):
    """(words of the name, unit), the unit from its own row, brackets, a slash, a comma or the last _."""
    match = UNIT_AT_END.match(name)
    if match and not unit:
        told = next((one for one in match.groups()[1:] if one), "")
        bare = match[4] is None or _pint_name(told) is not None
        name, unit = (match[1], told) if bare else (name, "")
    elif match and match[2] is not None:
        name = match[1]
    plain = unicodedata.normalize("NFKD", name.replace("_", " ").replace("-", " "))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [word.strip(" .:;") for word in plain.split() if word.strip(" .:;")], unit.strip()


def _role(words, rank):
    """The role that a name means: rank 0 a name itself (qualified as in `true stress`), rank 1 one that contains it."""
    low = [word.lower() for word in words]
    if not words:
        return None
    if set(low) & set(ROLES["error"][1].split()):
        return "error"
    if "rate" in low and not {"relaxation", "sampling", "load", "loading"} & set(low):
        return "rate" if rank == 0 or "strain" in low else None
    rest = [word for word in words if word.lower() not in QUALIFIERS] or words
    for role, (_, names) in ROLES.items():
        for name in names.split():
            same = (lambda word: word == name) if len(name) == 1 else (lambda word: word.lower() == name)
            if (rank == 0 and len(rest) == 1 and same(rest[0])) or (
                rank == 1 and len(name) > 1 and any(map(same, rest))
            ):
                return role
    return None


SPELLED = {
    "sec": "s",
    "secs": "s",
    "seconds": "s",
    "sek": "s",
    "mins": "min",
    "hrs": "hour",
    "std": "hour",
    "hours": "hour",
    "h": "hour",
    "d": "day",
    "tage": "day",
    "days": "day",
    "%": "percent",
    "pct": "percent",
    "-": "1",
    "c": "degC",
    "°c": "degC",
    "degc": "degC",
    "°k": "K",
    "k": "K",
    "µm": "um",
    "μm": "um",
    "å": "angstrom",
    "å3": "angstrom^3",
    "a3": "angstrom^3",
    "å³": "angstrom^3",
    "per_s": "1/s",
    "per_min": "1/min",
    "per_h": "1/hour",
    "/s": "1/s",
    "n/mm²": "MPa",
    "n/mm2": "MPa",
    "mpa": "MPa",
    "gpa": "GPa",
    "pa": "Pa",
    "kpa": "kPa",
    "n": "N",
    "mn": "mN",
    "kn": "kN",
    "counts": "1",
    "microstrain": "ppm",
    "µε": "ppm",
    "mm²": "mm^2",
    "µm²": "um^2",
    "fraction": "1",
    "st.": "1",
}


@functools.lru_cache(maxsize=1)
def _registry():
    import pint

    registry = pint.UnitRegistry()
    registry.define("percent = 0.01 = _")
    registry.define("ppm = 1e-6 = _")
    return registry


@functools.lru_cache(maxsize=None)
def _pint_name(text):
    """The unit as pint writes it, None if it is no unit."""
    text = SPELLED.get(text.lower(), text)
    text = re.sub(
        r"([A-Za-zµμ])\^?([-−]?\d)",
        lambda m: f"{m[1]}**{m[2].replace('−', '-')}",
        text.replace("⁻¹", "-1").replace("²", "2"),
    )
    if text == "1":
        return "dimensionless"
    try:
        unit = _registry().parse_units(text, case_sensitive=True)
        _ = unit.dimensionality  # a power of any size is read, and fails here
        _ = _registry().parse_units(str(unit)).dimensionality  # or here, where it is infinite
        return str(unit)
    except Exception:  # pint raises many kinds for what is no unit
        return None


def _convert(measured, table, role, column, unit, choice):
    name = table.names[column] or f"column {column + 1}"
    where = f"{measured.path}: column {name}"
    stated = role in choice.units or table.names[column] in choice.units or (role == "error" and bool(choice.units))
    if not unit and role in FRACTIONS:
        unit = "1"
    if not unit:
        if role == "error":
            measured.left_out.append({"what": f"column {name} (no unit: --unit error=UNIT)", "count": 1})
            return
        raise StzPostError(
            f"{where}: no unit; write it in the head, as {role} [{ROLES[role][0]}], or say --unit"
            f" {role}={ROLES[role][0]}"
        )
    pint_name = "dimensionless" if role == "bragg" and unit in ("fraction", "percent", "%") else _pint_name(unit)
    target = ROLES[role][0]
    if role == "error":
        target = next(
            (ROLES[of][0] for of in ERROR_OF if of in measured.columns and _fits(pint_name, ROLES[of][0])), ""
        )
        measured.error_of = next(
            (of for of in ERROR_OF if of in measured.columns and _fits(pint_name, ROLES[of][0])), ""
        )
    if not pint_name or not target or not _fits(pint_name, target):
        raise StzPostError(
            f"{where}: unit {unit} is none of {role} (--unit {role}={target or 'UNIT'}, or --column {role}=NAME)"
        )
    registry = _registry()
    values = np.asarray(table.columns[column], float)
    values = registry.Quantity(values, pint_name).to(target if target != "1" else "dimensionless").magnitude
    if role == "error" and pint_name == "degree_Celsius":
        raise StzPostError(f"{where}: an error in °C: say K")
    if role == "bragg" and unit == "fraction":
        values = 100 * values
    measured.columns[role] = values
    measured.source[role] = f"{name} in {unit}" if _bare(name, unit) else name
    if not stated:
        _plausible(where, role, values, unit, choice)


def _bare(name, unit):
    """True where the name does not say the unit."""
    return unit not in ("1", "-") and unit not in name


def _fits(unit, target):
    registry = _registry()
    target = "dimensionless" if target == "1" else target
    return bool(unit) and registry.parse_units(unit).dimensionality == registry.parse_units(target).dimensionality


def _plausible(where, role, values, unit, choice):
    """Refuses what looks like another unit."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return
    low, high = float(np.min(finite)), float(np.max(np.abs(finite)))
    limit = choice.young_GPa / 5
    looks = ""
    if role in ("stress", "error") and "Pa" in unit and high > limit:
        looks = f"{high:g} GPa is above a fifth of E = {choice.young_GPa:g} GPa (--young): MPa, perhaps?"
    elif role == "stress" and 0 < high < choice.young_GPa / 1e4:
        looks = f"at most {1e3 * high:g} MPa, less than E/10000: GPa, perhaps?"
    elif role == "hardness" and (high > choice.young_GPa or high < choice.young_GPa / 1e3):
        looks = (
            f"{high:g} GPa is no hardness of a solid with E = {choice.young_GPa:g} GPa (--young): another unit,"
            " perhaps?"
        )
    elif role == "temperature" and low < 77:
        looks = f"{low:g} K is below 77 K: °C, perhaps?"
    elif role == "temperature" and unit.lower().endswith("c") and np.any(np.abs(finite - 568.15) < 20):
        looks = f"{low - 273.15:g} °C looks like K"
    elif role == "strain" and unit == "1" and high > 1:
        looks = f"a strain of {high:g}: percent, perhaps?"
    elif role == "bragg" and high <= 1:
        looks = "at most 1 where counts of patterns are due: a fraction, perhaps?"
    if looks:
        first = unit if role != "bragg" else "counts"
        other = {
            "stress": "MPa",
            "error": "MPa",
            "hardness": "MPa",
            "temperature": "degC",
            "strain": "%",
            "bragg": "fraction",
        }[role]
        other = "GPa" if "GPa, perhaps" in looks else "K" if looks.endswith("like K") else other
        raise StzPostError(f"{where}: {looks} Say --unit {role}={other}, or --unit {role}={first} if it is right")


def _stress_of_force(measured, choice):
    """Stress from force and area where there is no stress."""
    c = measured.columns
    if "stress" not in c and "force" in c and ("area" in c or choice.area_mm2):
        c["stress"] = c["force"] / (choice.area_mm2 or c["area"]) / 1e3
        divisor = f"{choice.area_mm2:g} mm²" if choice.area_mm2 else measured.source["area"]
        measured.source["stress"] = f"{measured.source['force']} over {divisor}"
        measured.used |= {"force", "area"}


ENGINEERING = {"engineering", "eng", "eng.", "nominal", "technische"}


def _to_true(measured, choice):
    """Stress over strain as true stress over logarithmic strain."""
    c = measured.columns
    if not {"stress", "strain"} <= set(c):
        if choice.measure == "engineering" and "stress" in c:
            raise StzPostError(
                f"{measured.path}: --measure engineering: needs a column of strain, to know the area that bears the force"
            )
        return
    words = {word.lower() for role in ("stress", "strain") for word in _parsed(measured.source[role], "")[0]}
    told = "engineering" if words & ENGINEERING or {"force", "area"} <= measured.used else "true"
    if (choice.measure or told) == "true":
        return
    if np.any(c["strain"] <= -1):
        raise StzPostError(f"{measured.path}: strain: got {np.nanmin(c['strain']):g}, needs more than -1")
    strain, stress = to_true(c["strain"], c["stress"], choice.young_GPa, choice.poisson)
    if "error" in c and measured.error_of in ("stress", "strain"):
        c["error"] = c["error"] * (stress / c["stress"] if measured.error_of == "stress" else 1 / (1 + c["strain"]))
    c["strain"], c["stress"] = strain, stress
    measured.said.append(
        "engineering stress and strain, made true stress and logarithmic strain (--measure true leaves them)"
    )


def constant(measured: Measured, role: str) -> Optional[float]:
    """The one value of a column, None without it."""
    values = measured.columns.get(role)
    if values is None or not np.any(np.isfinite(values)):
        return None
    measured.used.add(role)
    return float(np.nanmean(values))


def length_of(measured: Measured) -> Optional[float]:
    """Length of a specimen (µm) from a displacement and the strain beside it, None without them."""
    c = measured.columns
    if not {"strain", "displacement"} <= set(c) or not np.any(np.abs(c["strain"]) > 0):
        return None
    measured.used.add("strain")
    measured.said.append("length from displacement over strain")
    return float(np.nansum(c["displacement"] * c["strain"]) / np.nansum(c["strain"] ** 2))
