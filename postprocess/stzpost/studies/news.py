# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a sweep has come, read from its manifest while it grows."""
import json
import os
import time

from ..units import DAY

LEAST_S = 2.0  # less time tells nothing about what is left


class News:
    """The manifest of a sweep; `directory` need not be there yet."""

    def __init__(self, directory):
        self._path = os.path.join(directory, "manifest.jsonl")
        self._at = 0  # read up to here
        self._all = {}  # number: the last of each field
        self.begun = {}  # number: when a run that is under way was seen to begin, s

    @property
    def runs(self):
        return len(self._all)

    @property
    def done(self):
        return sum(run["state"] == "done" for run in self._all.values())

    @property
    def all_done(self):
        return self.done == self.runs > 0

    def failed(self):
        """[(number, run)] of those that failed, by number."""
        return [(number, run) for number, run in sorted(self._all.items()) if run["state"] == "failed"]

    def read(self):
        """Reads what was appended since; yields (number, run) for each run that has come to an end meanwhile."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                text = file.read()
        except FileNotFoundError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            entry = _entry(line)
            if "run" not in entry:
                continue
            run = self._all.setdefault(entry["run"], {})
            run.update(entry)
            self.begun.pop(entry["run"], None)
            if entry.get("state") == "running":
                self.begun[entry["run"]] = time.monotonic()
            if entry.get("state") in ("done", "failed"):
                yield entry["run"], run


def _entry(line):
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):  # torn by a kill
        return {}
    return entry if isinstance(entry, dict) else {}


def left_text(passed_s, share):
    """What is left when `share` of the work took `passed_s`, in the words of `stzkmc sweep`: "2 min left"."""
    if passed_s < LEAST_S or share <= 0:
        return "time left unknown"
    seconds = passed_s * max(0.0, 1.0 - share) / share
    minutes = round(seconds / 60.0)
    if seconds < 59.5:
        return f"{seconds:.0f} s left"
    if minutes < 100:
        return f"{minutes} min left"
    return f"{minutes // 60} h {minutes % 60} min left" if seconds < 2 * DAY else f"{seconds / DAY:.0f} d left"
