# SPDX-License-Identifier: BSD-3-Clause
"""Builds the peers, in Go and Rust, in bench/peers-build."""

import glob
import os
import shutil
import subprocess

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
    # cargo writes beside the sources, which may be read-only; times are kept,
    # so that it does nothing where nothing has changed.
    shutil.rmtree(f"{out}/rust", ignore_errors=True)
    os.makedirs(f"{out}/rust/src")
    for name in ("Cargo.toml", "src/edges.rs", "src/main.rs", "src/rows.rs"):
        shutil.copy2(f"{sources}/rust/{name}", f"{out}/rust/{name}")
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
