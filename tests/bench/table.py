#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fastest of repeated bench records, which other work on the machine slowed least: a table and a JSON file.

usage: table.py RECORDS JSON
"""
import json
import sys

KEYS = ("engine", "orientation", "cells", "ranks", "tiled", "window")
COLUMNS = (("cells", "cells", "{}³"), ("orientation", "modes", "{}"), ("ranks", "ranks", "{}"),
           ("events_per_s", "events/s", "{:.4g}"), ("state_events_per_site", "events/site", "{:.2g}"),
           ("share_add", "add", "{:.0%}"), ("share_rates", "rates", "{:.0%}"),
           ("ns_per_exponential", "ns/exp", "{:.3f}"), ("speed_of_bare", "of bare exp", "{:.2f}"),
           ("bytes_per_site", "bytes/site", "{:.0f}"), ("traffic_GB_s", "GB/s", "{:.1f}"),
           ("triad_GB_s", "triad GB/s", "{:.1f}"))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = [json.loads(line) for line in file]
    groups = {}
    for run in runs:
        groups.setdefault(tuple(run[key] for key in KEYS), []).append(run)
    records = []
    for group in groups.values():
        records.append(max(group, key=lambda run: run["events_per_s"]))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(records, file, indent=1)
    rows = [[title for _, title, _ in COLUMNS]]
    rows += [[form.format(record[name]) for name, _, form in COLUMNS] for record in records]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    single = {record["cells"]: record for record in records if record["ranks"] == 1 and record["orientation"] == "random"}
    for record in records:
        if record["ranks"] > 1:
            ratio = record["events_per_s"] / single[record["cells"]]["events_per_s"]
            print(f"{record['ranks']} ranks against 1 at {record['cells']}³: {ratio:.2f}")


if __name__ == "__main__":
    main()
