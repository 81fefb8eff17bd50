#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Counts the instructions of one operation of each row that always takes the
same way, and shows how they differ from those recorded in instructions.txt.
`make bench-instructions` calls it. A difference is no failure."""

import argparse
import os
import re
import shutil
import subprocess
import sys

import measure

FEW, MORE = 10000, 30000  # operations; their difference has no start-up in it

# Rows that are counted at other sizes too: what does not grow shows here.
SIZES = {"ctx-sibling": (1000, 100000), "select-ready": (8, 64),
         "timer": (1000, 100000)}

# Rows with fewer at once here than else: a program takes tens of times as long
# under valgrind, and who starts 10 000 tasks would lose its proc to the monitor
# somewhere in between, as having computed for too long.
AT_ONCE = {"go-join": 100}


def total(name, kind, ops):
    """Instructions of the whole process. The name is a row's, or has a size
    behind it: timer:1000."""
    row, _, n = name.partition(":")
    n = n or AT_ONCE.get(row, 0)
    env = dict(os.environ, GULCH_MAXPROCS="1")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         *measure.ours(kind, "--cold", "--limit", "300", "--n", str(n))(
             row, ops, 0)],
        check=False, text=True, capture_output=True, env=env, timeout=300)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if not found:
        raise ValueError(done.stderr[-2000:])
    return int(found.group(1))


def an_operation(name, kind):
    return (total(name, kind, MORE) - total(name, kind, FEW)) / (MORE - FEW)


def read(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        lines = [x.split() for x in f if x.strip() and x[0] != "#"]
    return {(row, kind): float(count) for row, kind, count in lines}


def change(now, before):
    if not before:
        return "new"
    percent = (now - before) / before * 100
    return "" if abs(percent) < 1 else f"{percent:+.1f} %"


def wanted(names):
    """What is to be counted: a row with its size, and the kind of party."""
    for row in measure.rows():
        sizes = ["", *(f":{n}" for n in SIZES.get(row["name"], ()))]
        for kind in ("threads", "tasks"):
            if measure.has(row["exact"], kind) and (
                    not names or row["name"] in names):
                yield from ((row["name"] + size, kind) for size in sizes)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srcdir", default=".")
    parser.add_argument("--record", action="store_true",
                        help="make these the recorded ones")
    parser.add_argument("rows", nargs="*", help="only these")
    o = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is missing: no instructions are counted")
        return 0
    path = f"{o.srcdir}/bench/instructions.txt"
    recorded = read(path)
    now = dict(recorded) if o.rows else {}
    print(f"{'row':18} {'parties':8} {'now':>9} {'recorded':>9}  change")
    for key in wanted(o.rows):
        try:
            now[key] = an_operation(*key)
        except (ValueError, subprocess.SubprocessError) as e:
            print(f"{key[0]:18} {key[1]:8} failed: {e}")
            continue
        before = recorded.get(key, 0)
        print(f"{key[0]:18} {key[1]:8} {now[key]:9.1f} {before:9.1f}  "
              f"{change(now[key], before)}".rstrip(), flush=True)
    if o.record:
        with open(path, "w", encoding="utf-8") as f:
            f.write("# Instructions an operation, by make bench-record: row, "
                    "parties, count.\n")
            f.writelines(f"{row} {kind} {count:.1f}\n"
                         for (row, kind), count in now.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
