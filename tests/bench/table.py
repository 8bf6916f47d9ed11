#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fastest of repeated bench records, which other work on the machine slowed least: a table and a JSON file.

usage: table.py RECORDS JSON
"""
import json
import math
import sys

TEAMS = {"team": "multilevel", "points_team": "points"}  # records of turns: an engine on one core and on several
KEYS = ("engine", "orientation", "cells", "ranks", "tiled", "window")
DIRECT = (("cells", "cells", "{}³"), ("orientation", "modes", "{}"), ("ranks", "ranks", "{}"),
           ("events_per_s", "events/s", "{:.4g}"), ("state_events_per_site", "events/site", "{:.2g}"),
           ("share_add", "add", "{:.0%}"), ("share_rates", "rates", "{:.0%}"),
           ("ns_per_exponential", "ns/exp", "{:.3f}"), ("speed_of_bare", "of bare exp", "{:.2f}"),
           ("bytes_per_site", "bytes/site", "{:.0f}"), ("traffic_GB_s", "GB/s", "{:.1f}"),
           ("triad_GB_s", "triad GB/s", "{:.1f}"))
MULTILEVEL = (("cells", "cells", "{}³"), ("orientation", "modes", "{}"), ("events_per_s", "events/s", "{:.4g}"),
              ("of_direct", "of direct", "{:.3g}"), ("state_events_per_site", "events/site", "{:.2g}"),
              ("candidates", "candidates", "{:.1f}"), ("squeezed", "squeezed", "{:.1f}"), ("folds", "folds", "{:.2f}"),
              ("bounds", "bounds", "{:.0f}"), ("missed", "missed", "{:.0e}"), ("error_MPa", "MPa", "{:.2f}"),
              ("laws_apart", "TV", "{:.4f}"), ("us_near", "near µs", "{:.1f}"), ("us_levels", "levels µs", "{:.1f}"), ("us_converge", "converge µs", "{:.1f}"),
              ("us_box", "box µs", "{:.1f}"), ("us_site", "site µs", "{:.2f}"), ("us_block_update", "fold µs", "{:.1f}"),
              ("us_recompute", "refresh µs", "{:.1f}"), ("bytes_per_site", "bytes/site", "{:.0f}"),
              ("tables_MB", "tables MB", "{:.1f}"), ("setup_s", "setup s", "{:.2f}"))


def parted(run):
    """A record of turns as one of each number of ranks, by the median turn."""
    if run["engine"] not in TEAMS:
        return [run]
    kept = {key: run[key] for key in ("orientation", "cells", "state_events_per_site")}
    return [{"engine": TEAMS[run["engine"]], **kept, "ranks": ranks, "turns": True, "events_per_s": 1e6 / us}
            for ranks, us in zip((1, run["ranks"]), run["us_median"])]


def print_table(columns, records):
    rows = [[title for _, title, _ in columns]]
    rows += [[form.format(record[name]) for name, _, form in columns] for record in records]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = [one for line in file for one in parted(json.loads(line))]
    groups = {}
    for run in runs:
        groups.setdefault(tuple(run.get(key) for key in (*KEYS, "turns")), []).append(run)
    records = []
    for group in groups.values():
        records.append(max(group, key=lambda run: run["events_per_s"]))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(records, file, indent=1)
    turns = [record for record in records if "turns" in record]
    records = [record for record in records if "turns" not in record]
    direct = {(record["cells"], record["orientation"]): record["events_per_s"] for record in records
              if record["engine"] == "direct" and record["ranks"] == 1}
    for record in records:
        if record["engine"] == "multilevel":
            record["of_direct"] = record["events_per_s"] / direct.get((record["cells"], record["orientation"]), math.nan)
    for engine, columns in (("direct", DIRECT), ("multilevel", MULTILEVEL)):
        print(engine)
        print_table(columns, [record for record in records if record["engine"] == engine])
    single = {record["cells"]: record for record in records if record["ranks"] == 1 and
              record["orientation"] == "random" and record["engine"] == "direct"}
    for record in records:
        if record["ranks"] > 1:
            ratio = record["events_per_s"] / single[record["cells"]]["events_per_s"]
            print(f"{record['ranks']} ranks against 1 at {record['cells']}³: {ratio:.2f}")
    for one, several in zip(turns[::2], turns[1::2]):
        print(f"{several['ranks']} ranks against 1 at {one['cells']}³, {one['engine']} engine: "
              f"{several['events_per_s'] / one['events_per_s']:.2f} ({several['events_per_s']:.4g} events/s)")


if __name__ == "__main__":
    main()
