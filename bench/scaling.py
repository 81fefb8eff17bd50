#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs rows over sizes, and writes the report. `make bench-scaling` calls
it."""

import argparse
import json
import sys

import measure
import report

CROWDS = (1, 2, 4, 8, 16, 64)
BYTES = (1, 8, 64, 4096)
TENS = (1, 10, 100, 1000)
MANY = (1, 10, 100, 1000, 10000, 100000)

# Plot, what is along it, the bench's option, its values, rows.
SERIES = (
    ("crowd", "senders, and as many receivers, at one channel", "--n", CROWDS,
     ("mpmc-64", "mpmc-1024", "mpmc-0")),
    ("payload", "bytes an element", "--payload", BYTES,
     ("uncontended", "spsc-64", "pingpong")),
    ("producers", "cases of a select, each channel with a producer", "--n",
     CROWDS, ("select-8",)),
    ("cases", "cases of a select", "--n", CROWDS,
     ("select-ready", "select-parked")),
    ("waiters", "parties parked on a channel", "--n", TENS,
     ("select-behind", "close-1000")),
    ("timers", "timers pending", "--n", MANY, ("timer",)),
    ("children", "children of a context", "--n", MANY,
     ("ctx-sibling", "ctx-add-1000", "ctx-fall-1000")),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srcdir", default=".")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ms", type=int, default=100, help="a sample")
    parser.add_argument("plots", nargs="*", help="only these")
    o = parser.parse_args()
    kinds = {row["name"]: row["kinds"] for row in measure.rows()}
    lines = []
    for plot, along, option, values, names in SERIES:
        if o.plots and plot not in o.plots:
            continue
        for name in names:
            line = {"plot": plot, "along": along, "row": name, "points": []}
            for value in values:
                programs = {kind: measure.ours(kind, option, str(value))
                            for kind in ("threads", "tasks")
                            if measure.has(kinds[name], kind)}
                taken = measure.in_turn(name, programs, o.runs, o.ms)
                line["points"].append(dict(at=value, samples=taken))
                print(plot, report.scaling_line(line), flush=True)
            lines.append(line)
    idle = measure.in_turn("idle", {kind: measure.ours(kind)
                                    for kind in ("threads", "tasks")}, 1, o.ms)
    print(report.idle_line(idle))
    with open("bench/scaling.json", "w", encoding="utf-8") as f:
        json.dump({"lines": lines, "idle": idle}, f, indent=1)
    report.write(f"{o.srcdir}/bench")


if __name__ == "__main__":
    sys.exit(main())
