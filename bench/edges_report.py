# SPDX-License-Identifier: BSD-3-Clause
"""The report's parts about the groups "edges" and "io"."""

from layout import plot, short, table
from measure import median

PEERS = {"edges": ("pthreads", "Go", "crossbeam"), "io": ("Go", "pthreads")}


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
    there = [p for p in PEERS["edges"] if row["samples"].get(p)]
    return min(there, default=None, key=lambda p: median(row["samples"][p]))


def title(who, group):
    return "by hand" if group == "io" and who == "pthreads" else who


def compared(row, group):
    """Whom gulch is compared with: in "io" each has its own columns."""
    return PEERS["io"] if group == "io" else (best_peer(row),)


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
    group = row["group"]
    cells = [f"{title(who, group)} {cell(row, who)}" for who in row["samples"]]
    for under in ("before", *compared(row, group)):
        if ratios(row, "gulch", under):
            cells.append(f"gulch/{title(under, group)} "
                         f"{ratio_cells(row, 'gulch', under)[0]}")
    return f"{row['name']}: " + ", ".join(cells)


def values(rows, group):
    """The table."""
    before = any(row["samples"].get("before") for row in rows)
    lines = []
    for row in rows:
        cells = [f"`{row['name']}`"]
        cells += [cell(row, who) for who in ("gulch", *PEERS[group])]
        if group == "edges":
            cells.append(best_peer(row) or "–")
        for under in compared(row, group):
            cells += ratio_cells(row, "gulch", under)
        if before:
            cells += [cell(row, "before"),
                      *ratio_cells(row, "gulch", "before")]
        lines.append(cells)
    peers = [title(who, group) for who in PEERS[group]]
    head = ["row", "gulch", *peers]
    head += (["best peer", "gulch / best", "reach"] if group == "edges" else
             [x for who in peers for x in (f"gulch / {who}", "reach")])
    if before:
        head += ["before", "gulch / before", "reach"]
    return table(head, lines)


def chart(path, rows, group):
    """A point is a median, the line above it goes to the 99th percentile."""
    rows = [row for row in rows if row["unit"] == "ns"]
    data, curve = "", []
    for i, who in enumerate(("gulch", *PEERS[group])):
        data += f"$d{i} << END\n"
        for at, row in enumerate(rows):
            samples = row["samples"].get(who)
            if samples:
                low = max(median(samples), 1)
                high = median(samples, "p99") if row["latency"] else low
                data += f"{at + 0.18 * (i - 1.5):.2f} {low} {high}\n"
        data += "END\n"
        curve.append(f"$d{i} using 1:2:2:3 with yerrorbars pt 7 ps 0.7 "
                     f"title '{title(who, group)}'")
    tics = ", ".join(f"\"{row['name']}\" {at}" for at, row in enumerate(rows))
    return rows and plot(
        path, data + "set terminal svg size 1300,560 background 'white' "
        "font 'sans,12'\nset xtics rotate by -60 noenhanced "
        f"({tics})\nset xrange [-1:{len(rows)}]\nset grid xtics\n"
        f"set ylabel 'ns'\nplot {', '.join(curve)}\n")


def group_part(results, folder, group):
    rows = results["rows"]
    yield (f"The median of {results['runs']} processes' medians; behind a "
           "slash that of their 99th percentiles. A ratio's reach goes from "
           "the least to the greatest of a round in which all took their "
           "turn.\n")
    yield f"- Machine: {results['machine']}"
    for name, version in results["versions"].items():
        yield f"- {name}: {version}"
    if results["busy"]:
        yield f"- Beside {results['busy']} processes that compute"
    yield ""
    if chart(f"{folder}/report-{group}.svg", rows, group):
        yield f"![{group}](report-{group}.svg)\n"
    yield from values(rows, group)
    yield from table(["row", "what is measured"],
                     [[f"`{row['name']}`", row["what"]] for row in rows])


def edges_part(results, folder):
    yield "## Edges\n"
    yield ("What happens at the edges: calls that block, tasks that compute, "
           "locks that many want, crowds. The ratio is to the best of the "
           "peers.\n")
    yield from group_part(results, folder, "edges")


def io_part(results, folder):
    yield "## Descriptors\n"
    yield ("Sockets, beside Go and what one writes by hand in C: for most a "
           "bare loop over epoll, in one thread.\n")
    yield from group_part(results, folder, "io")
