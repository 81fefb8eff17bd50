#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs each row with threads, with tasks and with the peers that are there,
interleaved, and writes the report. `make bench-peers` calls it."""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

import measure
import report

# Those that are run once more with every thread on one processor.
PINNED = ("uncontended", "spsc-1", "spsc-64", "spsc-1024", "mpmc-64",
          "mpmc-1024", "pingpong", "spsc-0", "mpmc-0", "select-2", "select-8",
          "worker", "close-1000")

REGISTRY = "/usr/share/cargo/registry"


def run(command, **options):
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout.strip()


def build_go(sources, out):
    """The program, and what it was built with."""
    path = os.path.abspath(f"{out}/gobench")
    env = dict(os.environ, GO111MODULE="off",
               GOCACHE=os.path.abspath(f"{out}/go-cache"))
    run(["go", "build", "-o", path, *glob.glob(f"{sources}/go/*.go")], env=env)
    return path, run(["go", "version"])


def build_rust(sources, out):
    if not glob.glob(f"{REGISTRY}/crossbeam-channel-*"):
        raise FileNotFoundError("librust-crossbeam-channel-dev is missing")
    # cargo writes beside the sources, which may be read-only.
    shutil.rmtree(f"{out}/rust", ignore_errors=True)
    os.makedirs(f"{out}/rust/src")
    for name in ("Cargo.toml", "src/main.rs", "src/rows.rs"):
        shutil.copyfile(f"{sources}/rust/{name}", f"{out}/rust/{name}")
    run(["cargo", "build", "--release", "--offline", "--quiet", "--target-dir",
         os.path.abspath(f"{out}/rust-target"), "--config",
         'source.crates-io.replace-with="debian"', "--config",
         f'source.debian.directory="{REGISTRY}"'], cwd=f"{out}/rust")
    crate = glob.glob(f"{REGISTRY}/crossbeam-channel-*")[0].split("/")[-1]
    return f"{out}/rust-target/release/rustbench", (
        f"{crate}, {run(['rustc', '--version'])}")


def build_peers(sources, out):
    """Those that could be built, by name; and the versions, or why not."""
    peers, versions = {}, {}
    os.makedirs(out, exist_ok=True)
    for name, build in (("Go", build_go), ("crossbeam", build_rust)):
        try:
            peers[name], versions[name] = build(sources, out)
        except OSError as e:
            missing = f"no {e.filename}" if e.filename else e
            versions[name] = f"left out: {missing}"
        except subprocess.CalledProcessError as e:
            versions[name] = f"left out: {' '.join(e.cmd[:2])} failed"
        print(f"{name}: {versions[name]}", flush=True)
    return peers, versions


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
        json.dump({"versions": versions, "rows": results}, f, indent=1)
    report.write(f"{o.srcdir}/bench")


if __name__ == "__main__":
    sys.exit(main())
