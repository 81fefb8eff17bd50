# SPDX-License-Identifier: BSD-3-Clause
"""The report's part about the edges rows."""

from layout import plot, short, table
from measure import median

PEERS = ("pthreads", "Go", "crossbeam")


def show(value, unit):
    """Millionths are shown as a percentage."""
    if unit in ("ppm", "share"):
        percent = value / 10000
        return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
    return short(value, unit)


def cell(row, who):
    """The median; of a latency also the 99th percentile."""
    samples = row["samples"].get(who)
    if not samples:
        return "–"
    text = show(median(samples), row["unit"])
    if row["latency"]:
        text += f" / {show(median(samples, 'p99'), row['unit'])}"
    return text


def rounded(value):
    digits = 0 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}"


def ratios(row, over, under, key="value"):
    """Of the medians, and the least and greatest of a round; or None."""
    a, b = row["samples"].get(over), row["samples"].get(under)
    if not a or not b or row["unit"] == "share" or not all(x[key] for x in b):
        return None
    each = [x[key] / y[key] for x, y in zip(a, b)]
    return median(a, key) / median(b, key), min(each), max(each)


def best_peer(row):
    if row["unit"] == "share":
        return None
    there = [p for p in PEERS if row["samples"].get(p)]
    return min(there, default=None, key=lambda p: median(row["samples"][p]))


def ratio_cells(row, over, under):
    """The ratio and its reach; of a latency both percentiles' ratios."""
    got = ratios(row, over, under)
    if not got:
        return ["–", "–"]
    text = rounded(got[0])
    tail = row["latency"] and ratios(row, over, under, "p99")
    if tail:
        text += f" / {rounded(tail[0])}"
    return [text, f"{rounded(got[1])} – {rounded(got[2])}"]


def line(row):
    """One row as it is measured, for the terminal."""
    cells = [f"{who} {cell(row, who)}" for who in row["samples"]]
    for under in ("before", best_peer(row)):
        if ratios(row, "gulch", under):
            cells.append(f"gulch/{under} {ratio_cells(row, 'gulch', under)[0]}")
    return f"{row['name']}: " + ", ".join(cells)


def values(rows):
    """The table."""
    before = any(row["samples"].get("before") for row in rows)
    lines = []
    for row in rows:
        best = best_peer(row)
        cells = [f"`{row['name']}`"]
        cells += [cell(row, who) for who in ("gulch", *PEERS)]
        cells += [best or "–", *ratio_cells(row, "gulch", best)]
        if before:
            cells += [cell(row, "before"),
                      *ratio_cells(row, "gulch", "before")]
        lines.append(cells)
    head = ["row", "gulch", *PEERS, "best peer", "gulch / best", "reach"]
    if before:
        head += ["before", "gulch / before", "reach"]
    return table(head, lines)


def chart(path, rows):
    """A point is a median, the line above it goes to the 99th percentile."""
    rows = [row for row in rows if row["unit"] == "ns"]
    data, curve = "", []
    for i, who in enumerate(("gulch", *PEERS)):
        data += f"$d{i} << END\n"
        for at, row in enumerate(rows):
            samples = row["samples"].get(who)
            if samples:
                low = max(median(samples), 1)
                high = median(samples, "p99") if row["latency"] else low
                data += f"{at + 0.18 * (i - 1.5):.2f} {low} {high}\n"
        data += "END\n"
        curve.append(f"$d{i} using 1:2:2:3 with yerrorbars pt 7 ps 0.7 "
                     f"title '{who}'")
    tics = ", ".join(f"\"{row['name']}\" {at}" for at, row in enumerate(rows))
    return rows and plot(
        path, data + "set terminal svg size 1300,560 background 'white' "
        "font 'sans,12'\nset xtics rotate by -60 noenhanced "
        f"({tics})\nset xrange [-1:{len(rows)}]\nset grid xtics\n"
        f"set ylabel 'ns'\nplot {', '.join(curve)}\n")


def edges_part(results, folder):
    rows = results["rows"]
    yield "## Edges\n"
    yield ("What happens at the edges: calls that block, tasks that compute, "
           "locks that many want, crowds. The median of "
           f"{results['runs']} processes' medians; behind a slash that of their "
           "99th percentiles. The ratio is to the best of the peers, its "
           "reach from the least to the greatest of a round in which all "
           "took their turn.\n")
    yield f"- Machine: {results['machine']}"
    for name, version in results["versions"].items():
        yield f"- {name}: {version}"
    if results["busy"]:
        yield f"- Beside {results['busy']} processes that compute"
    yield ""
    if chart(f"{folder}/report-edges.svg", rows):
        yield "![edges](report-edges.svg)\n"
    yield from values(rows)
    yield from table(["row", "what is measured"],
                     [[f"`{row['name']}`", row["what"]] for row in rows])
