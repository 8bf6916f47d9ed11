#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Predicts how many times as many events per second exact windows draw on many ranks as one rank does: a cost model
(docs/theory-windows.md), no measurement.

usage: windows.py [--latency US] [--bandwidth GB_S] [--replay US] [--moments SHARE] [--json]

A window of n events on P ranks takes the time of the rank with the most events, with those that it makes anew; as many
exchanges of lists as sweeps; and the replay of the load from all n events by every rank. For each box and number of ranks
the best n is taken, up to the events between two moments.
"""
import argparse
import json
import math

# Seconds per event on one rank in boxes of these edges (docs/scaling.md); of tiles as well.
EDGES, EVENT_S = (32, 64, 128, 256), (1 / 22100, 1 / 12100, 1 / 8350, 1 / 6300)
FLIPS = 450.0          # per event, of the events per site in a window: emulations gave 350 to 550
SWEEPS = (2.0, 1.75, 3e-4, 0.75)  # 2 + 1.75 (W/3e-4)^0.75, W the events per site in a window
RECORD = 24            # bytes of an event in a list
LEAST = 24             # edge of the smallest tile: three times the reach of the near part
FEW = 32               # events between moments, at least
BOXES, RANKS = (128, 256, 512, 1024), (2, 8, 64, 512, 1000)


def event_seconds(edge):
    """Linear in log2 of the edge; below the smallest as there, above the largest with the last slope."""
    if edge <= EDGES[0]:
        return EVENT_S[0]
    i = max(k for k in range(len(EDGES) - 1) if k == 0 or EDGES[k] < edge)
    return EVENT_S[i] + (EVENT_S[i + 1] - EVENT_S[i]) * math.log2(edge / EDGES[i]) / math.log2(EDGES[i + 1] / EDGES[i])


def expected_most(mean, ranks):
    """The expectation of the largest of `ranks` Poisson numbers: the sum over k of P(largest > k)."""
    first, reach = max(0, int(mean - 12 * math.sqrt(mean))), int(mean + 12 * math.sqrt(mean)) + 30
    weights = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(first, reach)]
    total, below, whole = float(first), 0.0, math.fsum(weights)
    for weight in weights:  # no number is below the first, and next to none above the last
        below = min(1.0, below + weight / whole)
        total += 1 - below**ranks
    return total


def window_seconds(edge, ranks, events, latency, bandwidth, replay):
    """Time of one window, and its share of exchanges and of the replay."""
    share = events / edge**3
    own = expected_most(events / ranks, ranks) * (1 + FLIPS * share) * event_seconds(edge / ranks ** (1 / 3))
    if ranks == 1:
        return events * event_seconds(edge), 0.0, 0.0
    base, more, scale, power = SWEEPS
    exchange = (base + more * (share / scale) ** power) * (2 * latency * math.log2(ranks) + RECORD * events / bandwidth)
    return own + exchange + replay * events, exchange, replay * events


def predict(edge, ranks, latency=2e-6, bandwidth=8e9, replay=2e-7, moments=2e-5):
    """The best window: gain over one rank, events in it, and where its time goes. None where tiles are too small."""
    if edge / ranks ** (1 / 3) < LEAST:
        return None
    most, best = max(FEW, moments * edge**3), None
    for step in range(21):
        events = most * 10 ** (-step / 10)
        seconds, exchange, again = window_seconds(edge, ranks, events, latency, bandwidth, replay)
        gain = events * event_seconds(edge) / seconds
        if best is None or gain > best["gain"]:
            best = {"cells": edge, "ranks": ranks, "gain": gain, "events": events, "exchange": exchange / seconds,
                    "replay": again / seconds}
    return best


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--latency", type=float, default=2.0, metavar="US", help="of a message, µs")
    options.add_argument("--bandwidth", type=float, default=8.0, metavar="GB_S", help="of lists, GB/s")
    options.add_argument("--replay", type=float, default=0.2, metavar="US", help="of the load, per event, µs")
    options.add_argument("--moments", type=float, default=2e-5, metavar="SHARE", help="events per site between moments")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    found = [predict(edge, ranks, 1e-6 * given.latency, 1e9 * given.bandwidth, 1e-6 * given.replay, given.moments)
             for edge in BOXES for ranks in RANKS]
    found = [one for one in found if one]
    if given.json:
        print(json.dumps(found))
        return
    print("| cells | ranks | gain | efficiency | events in a window | exchanges | replay |\n|---|---|---|---|---|---|---|")
    for one in found:
        print(f"| {one['cells']}³ | {one['ranks']} | {one['gain']:.3g} | {one['gain'] / one['ranks']:.2f} | {one['events']:.0f} "
              f"| {one['exchange']:.0%} | {one['replay']:.0%} |")


if __name__ == "__main__":
    main()
