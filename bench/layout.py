# SPDX-License-Identifier: BSD-3-Clause
"""How the reports' numbers, tables and charts look."""

import os
import platform
import shutil
import subprocess


def short(value, unit="ns"):
    """Nanoseconds or microseconds as people write them; bytes as they are."""
    units = ["ns", "µs", "ms", "s"]
    if unit not in ("ns", "us"):
        return f"{value:.0f} {unit}"
    at = 1 if unit == "us" else 0
    while value >= 10000 and at < 3:
        value, at = value / 1000, at + 1
    digits = 1 if value < 100 else 0
    return f"{value:.{digits}f}" + ("" if at == 0 else f" {units[at]}")


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for cells in lines:
        yield "| " + " | ".join(cells) + " |"
    yield ""


def plot(path, commands):
    """Has gnuplot draw a chart; False where there is none."""
    if not shutil.which("gnuplot"):
        return False
    head = ("set terminal svg size 900,420 background 'white' font 'sans,12'\n"
            f"set output '{path}'\nset logscale y\nset yrange [1:*]\n"
            "set grid ytics\n"
            "set key outside right vertical\nset tmargin 1\n"
            "set datafile missing '-'\n")
    return subprocess.run(["gnuplot"], input=head + commands, text=True,
                          check=False).returncode == 0


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next(x.split(":")[1].strip() for x in f
                         if x.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return (f"{model}, {len(os.sched_getaffinity(0))} processors, "
            f"Linux {platform.release()}")
