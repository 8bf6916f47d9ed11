# SPDX-License-Identifier: GPL-3.0-or-later
"""The resolved input of a result as values by path, as `--set` has them: settings(text)["protocol[0].rate_per_s"]."""
from __future__ import annotations

import json
import re
from typing import Any

_ENTRY = re.compile(r"([A-Za-z_]\w*)\s*[=:]\s*(.*?);?$")


def settings(resolved: str) -> dict[str, Any]:
    """Values of the text that the program wrote (`/config/resolved`): one opening, one closing or one key a line."""
    values: dict[str, Any] = {}
    where: list[list] = []  # of each open group or list: its name, and the number of its groups so far
    for line in map(_uncommented, resolved.splitlines()):
        entry = _ENTRY.match(line)
        if line in ("}", "};", "},", ")", ");"):
            del where[-1:]  # none is open in a text that is damaged
        elif line == "{":
            if where:
                where[-1][1] += 1
            where.append(["", -1])
        elif entry and entry[2] in ("{", "("):
            where.append([entry[1], -1])
        elif entry:
            path = "".join(_step(name, count) for name, count in where) + "." + entry[1]
            values[path.lstrip(".")] = _value(entry[2])
    return values


def _step(name: str, count: int) -> str:
    return f".{name}" + (f"[{count}]" if count >= 0 else "") if name else ""


def _uncommented(line: str) -> str:
    return re.sub(r'^((?:[^"#]|"[^"]*")*)#.*$', r"\1", line).strip()


def _value(text: str) -> Any:
    text = re.sub(r"\b(\d+)L\b", r"\1", text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
