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

FEW, MORE = 1000, 3000  # operations; their difference has no start-up in it


def total(row, kind, ops):
    """Instructions of the whole process."""
    env = dict(os.environ, GULCH_MAXPROCS="1")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         *measure.ours(kind, "--cold", "--limit", "300")(row, ops, 0)],
        check=False, text=True, capture_output=True, env=env, timeout=300)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if not found:
        raise ValueError(done.stderr[-2000:])
    # What was really done: some rows go by thousands.
    did = int(re.search(r'"ops": (\d+)', done.stdout).group(1))
    return int(found.group(1)), did


def an_operation(row, kind):
    (few, few_ops), (more, more_ops) = (total(row, kind, FEW),
                                        total(row, kind, MORE))
    if few_ops == more_ops:
        more, more_ops = total(row, kind, 3 * few_ops)
    return (more - few) / (more_ops - few_ops)


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
    return "" if abs(percent) < 0.5 else f"{percent:+.1f} %"


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
    print(f"{'row':15} {'parties':8} {'now':>9} {'recorded':>9}  change")
    for row in measure.rows():
        for kind in ("threads", "tasks"):
            if not measure.has(row["exact"], kind):
                continue
            if o.rows and row["name"] not in o.rows:
                continue
            key = row["name"], kind
            try:
                now[key] = an_operation(*key)
            except (ValueError, AttributeError,
                    subprocess.SubprocessError) as e:
                print(f"{key[0]:15} {kind:8} failed: {e}")
                continue
            before = recorded.get(key, 0)
            print(f"{key[0]:15} {kind:8} {now[key]:9.1f} {before:9.1f}  "
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
