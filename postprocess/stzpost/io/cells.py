# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables in files as instruments and spreadsheets write them: text with any separator, decimal sign, encoding and
preamble, Excel's XLSX, and the HDF5 curves of `stz-post synth`. What is told by itself is said, what can be read in two
ways is asked."""
from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Optional

from ..errors import StzPostError
from . import inputs

SEPARATORS = {"tab": "\t", "semicolon": ";", "comma": ",", "bar": "|", "space": " "}
MISSING = {"", "nan", "na", "n/a", "null", "none", "-", "--", "---", "inf", "-inf"}
COMMENT = ("#", "%", "//", "!")
NUMBER = re.compile(r"[+-]?(\d[\d.,']*|[.,]\d+)([eEdD][+-]?\d+)?$")
PACKED = re.compile(r"[\d\s.,;|+\-eE]*$")  # several numbers in one cell
GROUPS = {sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}(\{sign}\d{{3}})+$") for sign in ",."}
LARGEST = 512 << 20  # bytes of a file


@dataclass(frozen=True)
class Format:
    """What the user says about a file; None is told from the file."""

    separator: Optional[str] = None  # a name of SEPARATORS or one character
    decimal: Optional[str] = None
    encoding: Optional[str] = None
    skip: int = 0  # lines at the start that are left out
    sheet: Optional[str] = None  # of a workbook, or group of an HDF5 file


@dataclass
class Table:
    """Columns of floats, NaN where a cell holds no number, under their names and units as the file has them."""

    path: str
    names: list
    units: list  # "" where the head has none apart from the name
    columns: list
    said: list = field(default_factory=list)  # what was told by itself, for a reader


def read(path: str, chosen: Format = Format()) -> Table:
    """The one table of a file."""
    inputs.note(path)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise StzPostError(f"{path}: more than {LARGEST >> 20} MB: leave out rows that are not needed")
    if data.startswith(b"\x89HDF"):
        return _hdf5(path, chosen)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise StzPostError(f"{path}: a workbook of old Excel (.xls): save it as .xlsx or as CSV")
    if data.startswith(b"PK"):
        return _workbook(path, chosen)
    text, said = _decoded(path, data, chosen)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if n > chosen.skip and line.strip()]
    name, sign = _separator(path, [line for _, line in lines], chosen)
    said.append(f"separator {name}")
    return _table(path, [(n, line.lstrip().startswith(COMMENT), _cells(line, sign)) for n, line in lines], said, chosen)


def _decoded(path, data, chosen):
    """The text, and what is to be said of its encoding."""
    encodings = [chosen.encoding] if chosen.encoding else ["utf-8-sig"]
    if not chosen.encoding and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif not chosen.encoding and b"\0" not in data[:4096]:
        encodings.append("cp1252")
    elif not chosen.encoding:
        encodings = ["utf-16-le"] if data[1:2] == b"\0" else ["utf-16-be"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" not in text:
            return text.replace("\u2212", "-").replace("\u00a0", " "), ([] if encoding == "utf-8-sig" else [encoding])
    raise StzPostError(f"{path}: no text, no XLSX and no HDF5 that can be read (--encoding NAME if it is text)")


def _cells(line, sign):
    line = line.strip("\r\n")
    if sign == " ":
        return line.replace("\t", " ").split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=sign))]
    except (csv.Error, StopIteration):
        return [line]


def _kind(cell):
    """1 for a number, 0 for a missing one, -1 for a word."""
    cell = str(cell).strip()
    return 1 if NUMBER.match(cell) else 0 if cell.lower() in MISSING else -1


def _pattern(cells):
    """Columns with numbers; none in a line that another separator cuts into numbers."""
    kinds = [_kind(cell) for cell in cells]
    if any(kind < 0 and PACKED.match(cell) for kind, cell in zip(kinds, cells)):
        return ()
    return tuple(i for i, kind in enumerate(kinds) if kind > 0)


def _usual(rows):
    """The pattern of most rows, with two numbers at least, and how many have it; () without any."""
    counts = Counter(pattern for pattern in map(_pattern, rows) if len(pattern) > 1)
    return max(counts.items(), key=lambda one: (one[1], len(one[0])), default=((), 0))


def _fits(cells, pattern):
    """True for a row of numbers: two at least where the usual row has them, and no words there."""
    kinds = [_kind(cell) for cell in cells]
    there = [kinds[i] if i < len(kinds) else 0 for i in pattern]
    return min(there) >= 0 and there.count(1) >= 2


def _separator(path, lines, chosen):
    """Name and sign of the separator with which most lines are rows of numbers, of as many columns as may be."""
    if chosen.separator:
        sign = SEPARATORS.get(chosen.separator, chosen.separator)
        if len(sign) != 1:
            raise StzPostError(
                f"--separator: got {chosen.separator}, needs one of {', '.join(SEPARATORS)} or a character"
            )
        return chosen.separator, sign
    sample = lines[:2000]
    found = []
    for name, sign in SEPARATORS.items():
        pattern, rows = _usual(_cells(line, sign) for line in sample)
        found.append((rows, len(pattern), name, sign))
    rows, _, name, sign = max(found, key=lambda one: one[:2])
    if not rows:
        raise StzPostError(f"{path}: no rows of two or more numbers in it (--separator, --skip if there are)")
    return name, sign


def _table(path, lines, said, chosen):
    """`lines`: (number, is a comment, cells)."""
    pattern, _ = _usual(cells for _, comment, cells in lines if not comment)
    begin = next(
        (i for i, (_, comment, cells) in enumerate(lines) if pattern and not comment and _fits(cells, pattern)), None
    )
    if begin is None:
        raise StzPostError(f"{path}: no rows of two or more numbers in it (--separator, --skip if there are)")
    rows = [cells for _, comment, cells in lines[begin:] if not comment]
    count = max(len(cells) for cells in rows if _fits(cells, pattern))
    before = lines[:begin]
    names, units, used = _head(path, before, count)
    if used > 0:
        said.append(f"{used} lines before the head left out")
    texts = [[cells[i] if i < len(cells) else "" for cells in rows] for i in range(count)]
    decimal, group = _signs(path, [cell for column in texts for cell in column if _kind(cell) > 0], chosen)
    if decimal == ",":
        said.append("decimal comma")
    if group:
        said.append(f"thousands by {'comma' if group == ',' else 'dot' if group == '.' else 'apostrophe'}")
    columns = [_numbers(column, decimal, group) for column in texts]
    kept = [
        i for i in range(count) if names[i] or any(_kind(cell) for cell in texts[i])
    ]  # not what a last separator makes
    pick = lambda values: [values[i] for i in kept]
    return Table(str(path), pick(names), pick(units), pick(columns), said)


def _numbers(texts, decimal, group):
    import pandas

    plain = (
        pandas.Series(texts, dtype=str).str.replace(group, "", regex=False)
        if group
        else pandas.Series(texts, dtype=str)
    )
    plain = plain.str.replace(decimal, ".", regex=False).str.replace("[dD]", "e", regex=True)
    values = pandas.to_numeric(plain, errors="coerce").to_numpy(float)
    values[~(abs(values) < 1e300)] = float("nan")
    return values


def _signs(path, cells, chosen):
    """(sign of decimals, sign of thousands or "")."""
    if chosen.decimal and chosen.decimal not in (",", "."):
        raise StzPostError(f"--decimal: got {chosen.decimal}, needs , or .")
    group = "'" if any("'" in cell for cell in cells) else ""
    commas, dots = [c for c in cells if "," in c], [c for c in cells if "." in c]
    if chosen.decimal:
        other = "." if chosen.decimal == "," else ","
        return chosen.decimal, other if any(other in cell for cell in cells) else group
    if not commas:
        return (",", ".") if any(cell.count(".") > 1 for cell in dots) else (".", group)
    both = [cell for cell in commas if "." in cell]
    comma_groups = all(GROUPS[","].match(cell.partition(".")[0]) for cell in commas)
    dot_groups = all(GROUPS["."].match(cell.partition(",")[0]) for cell in dots)
    if comma_groups and (any(c.count(",") > 1 for c in commas) or any(c.find(",") < c.find(".") for c in both)):
        return ".", ","
    if not comma_groups and (not dots or dot_groups):
        return ",", "." if dots else group
    if comma_groups and dots and not dot_groups:
        return ".", ","
    raise StzPostError(f"{path}: {commas[0]}: a decimal comma, or thousands? Say --decimal , or --decimal .")


def _head(path, before, count):
    """(names, units, lines before the head): the last line of words before the numbers, or the last two when the second
    holds units; a comment only where there is no other."""
    plain = [i for i, (_, comment, cells) in enumerate(before) if not comment]
    if not plain:
        plain = [i for i, (_, _, cells) in enumerate(before) if len(_fitted(cells, count)) == count]
    blank = [""] * count
    if not plain:
        return list(blank), list(blank), 0
    at, units = plain[-1], blank
    cells = _fitted(before[at][2], count)
    if len(plain) > 1 and _are_units(cells):
        above = _fitted(before[plain[-2]][2], count)
        if sum(bool(cell) for cell in above) > 1:
            at, units, cells = plain[-2], cells, above
    while len(cells) > count and not cells[-1]:
        cells.pop()
    if len(cells) > count or (len(cells) > 1 and 2 * len(cells) <= count):
        raise StzPostError(
            f"{path}:{before[at][0]}: {len(cells)} names for {count} columns: name each column; where a decimal comma"
            " meets a comma as separator, save the file with another separator"
        )
    strip = lambda unit: unit.strip("[]() ")
    fill = lambda values: (list(values) + blank)[:count]
    return fill(cells), fill(map(strip, units)), at


def _fitted(cells, count):
    """Cells of a head; split at spaces, units in brackets belong to the name before them. The sign of a comment
    goes."""
    cells = [cell.strip() for cell in cells]
    if cells and cells[0].startswith(COMMENT):
        cells = [cells[0].lstrip("#%/! "), *cells[1:]]
        cells = cells if cells[0] or len(cells) <= count else cells[1:]
    while len(cells) > count:
        joined = next((i for i, cell in enumerate(cells) if i and cell[:1] in ("(", "[", "/")), None)
        if joined is None:
            break
        cells[joined - 1 : joined + 1] = [f"{cells[joined - 1]} {cells[joined]}"]
    return cells


def _are_units(cells):
    """True if no cell is longer than a unit is, and most stand in brackets or are units that everybody knows."""
    known = {
        "s",
        "sec",
        "min",
        "h",
        "d",
        "ms",
        "pa",
        "kpa",
        "mpa",
        "gpa",
        "n",
        "kn",
        "mm",
        "um",
        "µm",
        "nm",
        "m",
        "%",
        "-",
        "k",
        "1/s",
        "°c",
        "c",
        "1",
        "n/mm2",
        "n/mm²",
        "s-1",
        "mn",
    }
    filled = [cell for cell in cells if cell]
    likely = [c for c in filled if c.lower() in known or (c[0] in "[(" and c[-1] in "])" and len(c) < 12)]
    return bool(filled) and 2 * len(likely) > len(filled)


def _workbook(path, chosen):
    import pandas

    try:
        with pandas.ExcelFile(path, engine="openpyxl") as book:
            sheets = book.sheet_names
            sheet = chosen.sheet or sheets[0]
            if sheet not in sheets:
                raise StzPostError(f"{path}: no sheet {sheet}: it has {', '.join(sheets)} (--sheet)")
            frame = book.parse(sheet, header=None, dtype=object)
    except StzPostError:
        raise
    except ImportError as error:
        raise StzPostError(f"{path}: XLSX needs openpyxl (Debian: python3-openpyxl)") from error
    except Exception as error:  # a damaged workbook fails in many ways
        raise StzPostError(f"{path}: no workbook that can be read ({type(error).__name__})") from error
    text = lambda value: "" if value is None or value != value else str(value).strip()
    lines = [(n, [text(value) for value in row]) for n, row in enumerate(frame.itertuples(index=False), 1)]
    lines = [
        (n, cells[:1] != [""] and cells[0].startswith(COMMENT), cells)
        for n, cells in lines
        if n > chosen.skip and any(cells)
    ]
    return _table(path, lines, [f"sheet {sheet}" + (f" of {len(sheets)}" if len(sheets) > 1 else "")], chosen)


def _hdf5(path, chosen):
    """A group of columns with their units, as `stz-post synth` writes curves."""
    from . import files, result

    with files.open_file(path) as file:
        if result.plain_attributes(file).get("format") == result.FORMAT:
            raise StzPostError(f"{path}: is a result of stzkmc: stz-post relaxation and stress-strain read it")
        groups = [name for name in file if hasattr(file[name], "keys") and "time_s" in file[name]]
        if not groups:
            raise StzPostError(
                f"{path}: HDF5 without curves: images and results of runs are for other commands (stz-post --help)"
            )
        name = chosen.sheet or groups[0]
        if name not in groups:
            raise StzPostError(f"{path}: no group {name}: it has {', '.join(groups)} (--sheet)")
        names = list(file[name])
        columns = [file[name][one][...].astype(float) for one in names]
    said = [f"group {name}" + (f" of {len(groups)} (--sheet)" if len(groups) > 1 else "")]
    return Table(str(path), names, [""] * len(names), columns, said)
