# SPDX-License-Identifier: BSD-3-Clause
"""Writes report.md and its charts from what peers.py, scaling.py and edges.py
left in bench/*.json. A part that was not measured stays as it is."""

import json
import os
import re
import shutil
import sys

from edges_report import edges_part, io_part
from layout import machine, plot, short, table
from measure import median

PROGRAMS = ("threads", "tasks", "Go", "crossbeam")
RATIOS = (("threads", "crossbeam"), ("threads", "Go"), ("tasks", "Go"))


def unit_of(row):
    """Nanoseconds an operation, if none of ours says otherwise."""
    ours = row["samples"].get("tasks") or row["samples"].get("threads") or [{}]
    return ours[0].get("unit", "ns")


def spread(samples, unit):
    values = [s["value"] for s in samples]
    return (f"{short(median(samples), unit)} "
            f"({short(min(values), unit)} – {short(max(values), unit)})")


def ratio(row, over, under):
    samples = row["samples"]
    if not samples.get(over) or not samples.get(under):
        return "–"
    below = median(samples[under])
    of = median(samples[over]) / below if below else 0
    return "–" if of == 0 else f"{of:.2f}" if of >= 0.1 else f"{of:.3f}"


def line(row):
    """One row as it is measured, for the terminal."""
    unit = unit_of(row)
    cells = [f"{name} {short(median(s), unit)}"
             for name, s in row["samples"].items() if s]
    cells += [f"{a}/{b} {ratio(row, a, b)}" for a, b in RATIOS
              if ratio(row, a, b) != "–"]
    return f"{row['group']}: {row['name']}: " + ", ".join(cells)


def scaling_line(one):
    point = one["points"][-1]
    cells = [f"{kind} {short(median(s))}"
             for kind, s in point["samples"].items() if s]
    return f"{one['row']} at {point['at']}: " + ", ".join(cells)


def idle_line(samples):
    each = " and ".join(f"{short(s[0]['value'], 'us')} with {kind}"
                        for kind, s in samples.items() if s)
    return ("CPU time of the process in a second during which 1000 parties "
            f"sleep on a channel: {each}.")


def group_tables(rows):
    heads = [f"{a} / {b}" for a, b in RATIOS]
    values, cpu = [], []
    for row in rows:
        unit, samples = unit_of(row), row["samples"]
        values.append(
            [f"`{row['name']}`"]
            + [spread(samples[p], unit) if samples.get(p) else "–"
               for p in PROGRAMS] + [ratio(row, a, b) for a, b in RATIOS])
        if unit == "ns":
            cpu.append([f"`{row['name']}`"]
                       + [short(median(samples[p], "cpu"))
                          if samples.get(p) else "–" for p in PROGRAMS])
    yield from table(["row", *PROGRAMS, *heads], values)
    yield "User and system time an operation:\n"
    yield from table(["row", *PROGRAMS], cpu)


def bar_chart(path, rows):
    rows = [row for row in rows if unit_of(row) == "ns"]
    present = [p for p in PROGRAMS if any(r["samples"].get(p) for r in rows)]
    data = "$data << END\n"
    for row in rows:
        cells = [f"{median(row['samples'][p])}" if row["samples"].get(p)
                 else "-" for p in present]
        data += f"\"{row['name']}\" " + " ".join(cells) + "\n"
    bars = ", ".join(f"$data using {i + 2}:xtic(1) title '{name}'"
                     for i, name in enumerate(present))
    return rows and plot(path, data + "END\nset style data histograms\n"
                         "set style fill solid 0.8\nset boxwidth 0.9\n"
                         "set xtics rotate by -35\n"
                         f"set ylabel 'ns an operation'\nplot {bars}\n")


def peers_part(results, folder):
    yield f"- Machine: {results.get('machine') or machine()}"
    for name, version in results["versions"].items():
        yield f"- {name}: {version}"
    yield ""
    rows = results["rows"]
    for group in dict.fromkeys(row["group"] for row in rows):
        yield f"## {group.capitalize()}\n"
        mine = [row for row in rows if row["group"] == group]
        name = f"report-{group.replace(' ', '-')}.svg"
        if bar_chart(f"{folder}/{name}", mine):
            yield f"![{group}]({name})\n"
        yield from group_tables(mine)
    yield "## What one operation is\n"
    what = {row["name"]: row["what"] for row in rows}
    yield from table(["row", "operation"],
                     [[f"`{k}`", v] for k, v in what.items()])


def curves(path, lines):
    data, curve = "", []
    for line_ in lines:
        for kind in ("threads", "tasks"):
            points = [(p["at"], median(p["samples"][kind]))
                      for p in line_["points"] if p["samples"].get(kind)]
            if points:
                data += f"$d{len(curve)} << END\n" + "".join(
                    f"{at} {value}\n" for at, value in points) + "END\n"
                curve.append(f"$d{len(curve)} with linespoints "
                             f"title '{line_['row']}, {kind}'")
    return curve and plot(path, data + "set logscale x\n"
                          f"set xlabel '{lines[0]['along']}'\n"
                          "set ylabel 'ns an operation'\n"
                          f"plot {', '.join(curve)}\n")


def scaling_part(results, folder):
    yield "## Scaling\n"
    yield idle_line(results["idle"]) + "\n"
    for name in dict.fromkeys(line_["plot"] for line_ in results["lines"]):
        lines = [x for x in results["lines"] if x["plot"] == name]
        yield f"### By {lines[0]['along']}\n"
        file = f"report-by-{name}.svg"
        if curves(f"{folder}/{file}", lines):
            yield f"![{lines[0]['along']}]({file})\n"
        at = [p["at"] for p in lines[0]["points"]]
        yield from table(
            ["ns an operation", *map(str, at)],
            [[f"`{x['row']}`, {kind}"]
             + [short(median(p["samples"][kind]))
                if p["samples"].get(kind) else "–" for p in x["points"]]
             for x in lines for kind in ("threads", "tasks")
             if any(p["samples"].get(kind) for p in x["points"])])


PARTS = (("peers", peers_part), ("scaling", scaling_part),
         ("edges", edges_part), ("io", io_part))


def as_it_was(path, name):
    """The part's text in the report that there is, without its mark."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        found = re.search(rf"<!-- {name} -->\n(.*?)\n*(?=<!-- \w+ -->|\Z)",
                          f.read(), re.DOTALL)
    return [found.group(1) + "\n"] if found else []


def part(name, of, path):
    if not os.path.exists(f"bench/{name}.json"):
        return as_it_was(path, name)
    with open(f"bench/{name}.json", encoding="utf-8") as f:
        return list(of(json.load(f), os.path.dirname(path)))


def write(folder):
    """folder/report.md and its charts."""
    path = f"{folder}/report.md"
    text = ["# What gulch costs\n",
            "Median (least – greatest) of several samples, each a process of "
            "its own, the programs taking turns; nanoseconds an operation "
            "where no unit stands; elements of 8 bytes; two processors, "
            "`GOMAXPROCS=2`; under \"One processor\" every process is pinned "
            "to the same one. Written by `make bench-peers`, `make "
            "bench-scaling`, `make bench-edges` and `make bench-io`; "
            "[README.md](README.md) says how to read it.\n"]
    for name, of in PARTS:
        lines = part(name, of, path)
        text += [f"<!-- {name} -->", *lines] if lines else []
    if not shutil.which("gnuplot"):
        print("gnuplot is missing: no charts", file=sys.stderr)
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(text).rstrip() + "\n")
    print(f"written: {path}")
