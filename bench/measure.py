# SPDX-License-Identifier: BSD-3-Clause
"""What the scripts share: programs that take samples, and running them in turn.

A program is a name and a function that gives a sample's command for a row."""

import json
import os
import statistics
import subprocess
import sys

LIMIT = 20  # seconds a sample may take

BENCH = os.path.join(os.curdir, "bench", "bench")


def ours(kind, *options):
    """The bench with threads or tasks."""

    def command(row, ops, ms):
        return [BENCH, "--one", "--" + kind, "--ops", str(ops), "--ms", str(ms),
                *options, row]

    return command


def peer(path):
    return lambda row, ops, ms: [path, row, str(ops), str(ms)]


def rows():
    """Those of `bench list`, as dictionaries."""
    listing = subprocess.run([BENCH, "list"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    keys = ("name", "group", "kinds", "exact", "what")
    return [dict(zip(keys, line.split("\t"))) for line in listing.splitlines()]


def has(kinds, kind):
    return kinds in (kind, "both")


def sample(command, cpus):
    """One sample, the process being allowed these processors; None where it
    fails or takes too long."""
    env = dict(os.environ, GOMAXPROCS=str(len(cpus)))
    try:
        out = subprocess.run(
            command, check=True, text=True, stdout=subprocess.PIPE, env=env,
            timeout=LIMIT, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    except (subprocess.SubprocessError, OSError) as e:
        print(f"  {' '.join(command)}: {e}", file=sys.stderr)
        return None
    got = json.loads(out.stdout)
    if not isinstance(got, list):
        return got
    return dict(got[0]["samples"][0], unit=got[0]["unit"])


def in_turn(row, programs, runs, ms, cpus=frozenset({0, 1})):
    """Samples A B C A B C …: the lists by the programs' names. The first two
    of each find how much work a sample is to be. Who fails is left out."""
    cpus = cpus & os.sched_getaffinity(0) or os.sched_getaffinity(0)
    taken = {name: [] for name in programs}
    for run in range(runs):
        for name, command in programs.items():
            ops = max(s["ops"] for s in taken[name]) if run >= 2 else 0
            got = sample(command(row, ops, ms), cpus)
            if got is None:
                programs = {k: v for k, v in programs.items() if k != name}
                del taken[name]
                continue
            taken[name].append(got)
    return taken


def median(samples, key="value"):
    return statistics.median(s[key] for s in samples)
