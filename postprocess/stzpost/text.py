# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that come from outside (names of files, values on axes, attributes of files), made fit for where they are shown.

Python reads names that are not UTF-8 with surrogates in place of the bytes; no writer takes those."""
from __future__ import annotations

import html as _html
import json
import unicodedata
from typing import Any


def _shown(character: str) -> bool:
    """Whether it stands where it is printed: controls steer a terminal, others turn or hide what is beside them."""
    return character.isprintable() or unicodedata.category(character) == "Zs"  # spaces


def whole(text: Any) -> str:
    """The text with its lines; what is no UTF-8 becomes `?`."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def plain(text: Any) -> str:
    """The text in one line; control characters, hidden ones, and what is no UTF-8 become `?`."""
    return "".join(one if _shown(one) else "?" for one in whole(text))


def lines(text: Any) -> str:
    """The text with its lines, each of them plain."""
    return "\n".join(map(plain, str(text).split("\n")))


def html(text: Any) -> str:
    """For HTML, inside an element or an attribute in quotes."""
    return _html.escape(whole(text), quote=True)


def json_lines(values: Any, indent: int | None = None) -> str:
    """JSON to print: nothing stands in it as such that `lines` would replace."""
    data = whole(json.dumps(values, ensure_ascii=False, indent=indent))
    return "".join(one if one == "\n" or _shown(one) else json.dumps(one)[1:-1] for one in data)


def json_in_page(values: Any) -> str:
    """JSON for a <script> element: nothing in it can end the element, begin a comment, or break a line."""
    data = whole(json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    for character in "<>&\u2028\u2029":  # they stand in texts alone
        data = data.replace(character, f"\\u{ord(character):04x}")
    return data


def label(text: Any) -> str:
    """For a figure: matplotlib would take what stands between two `$` for mathematics."""
    return plain(text).replace("$", r"\$")
