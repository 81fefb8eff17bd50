#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the rows of the group "edges", or "io", with gulch and with the twins
that are there, in turn, and prints a table. `make bench-edges` and `make
bench-io` call it."""

import argparse
import contextlib
import functools
import json
import os
import subprocess
import sys

import edges_report
import httpd
import layout
import measure
import report
from building import build_peers, run

OURS = os.path.join(os.curdir, "bench", "edges")
PTHREADS = os.path.join(os.curdir, "bench", "peers", "pthreads", "edges")


GROUPS = ("edges", "io")


def rows(group):
    keys = ("name", "unit", "latency", "what", "group")
    listed = [dict(zip(keys, line.split("\t")))
              for line in run([OURS, "list"]).splitlines()]
    return [row for row in listed if row["group"] == group] + (
        httpd.rows() if group == "io" else [])


def programs_from(peers, against):
    """How to call each, by name, and the rows that it has."""
    calls = {"gulch": [OURS], "pthreads": [PTHREADS]}
    calls.update((name, [path, "edges"]) for name, path in peers.items())
    if against:
        calls["before"] = [against]
    return {name: (call, {line.split("\t")[0] for line in
                          run([*call, "list"]).splitlines()})
            for name, call in calls.items()}


@contextlib.contextmanager
def beside(busy):
    """So many processes compute meanwhile."""
    others = [subprocess.Popen([OURS, "busy"]) for _ in range(busy)]
    try:
        yield
    finally:
        for p in others:
            p.kill()
            p.wait()


def takers_of(row, programs, peers, ms):
    """Functions that take a sample of the row, by who has it."""
    cpus = frozenset({0, 1}) & os.sched_getaffinity(0)
    cpus = cpus or os.sched_getaffinity(0)
    if httpd.has(row):
        return {who: functools.partial(httpd.sample, server, row, ms, cpus)
                for who, server in httpd.servers(peers).items()}
    return {who: functools.partial(measure.sample,
                                   [*call, row["name"], str(ms)], cpus)
            for who, (call, known) in programs.items() if row["name"] in known}


def in_turn(takers, runs):
    """Samples A B C A B C …; who fails is left out."""
    taken = {who: [] for who in takers}
    for _ in range(runs):
        for who in list(taken):
            got = takers[who]()
            if got is None:
                del taken[who]
            else:
                taken[who].append(got)
    return taken


def measure_all(peers, versions, group, names=(), runs=3, ms=300, busy=0,
                against=None):
    """All rows, or these; they are left in bench/GROUP.json."""
    programs = programs_from(peers, against)
    results = {"machine": layout.machine(), "versions": versions, "busy": busy,
               "runs": runs, "rows": []}
    with beside(busy):
        for row in rows(group):
            if names and not any(row["name"].startswith(n) for n in names):
                continue
            taken = in_turn(takers_of(row, programs, peers, ms), runs)
            results["rows"].append(dict(row, samples=taken))
            print(edges_report.line(results["rows"][-1]), flush=True)
    with open(f"bench/{group}.json", "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srcdir", default=".")
    parser.add_argument("--group", choices=GROUPS, default="edges")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ms", type=int, default=300, help="a sample")
    parser.add_argument("--busy", type=int, default=0, metavar="N",
                        help="beside N processes that compute")
    parser.add_argument("--against", metavar="PROGRAM",
                        help="bench/edges of another build, taking turns too")
    parser.add_argument("--only-c", action="store_true",
                        help="without Go and crossbeam")
    parser.add_argument("--report", action="store_true",
                        help="write them into report.md")
    parser.add_argument("rows", nargs="*",
                        help="only those that begin like this")
    o = parser.parse_args()
    peers, versions = {}, {}
    if not o.only_c:
        peers, versions = build_peers(f"{o.srcdir}/bench/peers",
                                      "bench/peers-build")
    results = measure_all(peers, versions, o.group, o.rows, o.runs, o.ms,
                          o.busy, o.against)
    print("\n" + "\n".join(edges_report.values(results["rows"], o.group)))
    if o.report:
        report.write(f"{o.srcdir}/bench")


if __name__ == "__main__":
    sys.exit(main())
