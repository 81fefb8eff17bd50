#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs each row with threads, with tasks and with the peers that are there,
interleaved, and writes the report. `make bench-peers` calls it."""

import argparse
import json
import os
import sys

import edges
import layout
import measure
import report
from building import build_peers, run

# Those that are run once more with every thread on one processor.
PINNED = ("uncontended", "spsc-1", "spsc-64", "spsc-1024", "mpmc-64",
          "mpmc-1024", "pingpong", "spsc-0", "mpmc-0", "select-2", "select-8",
          "worker", "close-1000")

def programs_for(row, peers, known):
    programs = {kind: measure.ours(kind) for kind in ("threads", "tasks")
                if measure.has(row["kinds"], kind)}
    programs.update((name, measure.peer(path)) for name, path in peers.items()
                    if row["name"] in known[name])
    return programs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srcdir", default=".")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--ms", type=int, default=80, help="a sample")
    parser.add_argument("rows", nargs="*", help="only these")
    o = parser.parse_args()

    peers, versions = build_peers(f"{o.srcdir}/bench/peers",
                                  "bench/peers-build")
    known = {name: run([path, "list"]).split() for name, path in peers.items()}
    results = []
    todo = [(row, False) for row in measure.rows()]
    todo += [(dict(row, group="one processor"), True) for row, _ in todo
             if row["name"] in PINNED]
    for row, pinned in todo:
        if o.rows and row["name"] not in o.rows:
            continue
        cpus = frozenset({min(os.sched_getaffinity(0))} if pinned else {0, 1})
        taken = measure.in_turn(row["name"], programs_for(row, peers, known),
                                o.runs, o.ms, cpus)
        results.append(dict(row, samples=taken))
        print(report.line(results[-1]), flush=True)
    with open("bench/peers.json", "w", encoding="utf-8") as f:
        json.dump({"machine": layout.machine(), "versions": versions,
                   "rows": results}, f, indent=1)
    if not o.rows:
        for group in edges.GROUPS:
            edges.measure_all(peers, versions, group, ms=200)
    report.write(f"{o.srcdir}/bench")


if __name__ == "__main__":
    sys.exit(main())
