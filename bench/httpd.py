# SPDX-License-Identifier: BSD-3-Clause
"""The rows of the group "io" in which wrk drives a web server: examples/httpd,
and Go's net/http. They are left out where wrk or the example is missing."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

SIZE = 1024  # bytes of the file that is served
CONNECTIONS = (100, 1000)
LIMIT = 20  # seconds a server may be there

EXAMPLE = os.path.join(os.curdir, "examples", "httpd")
UNITS = {"us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}


def missing():
    if not shutil.which("wrk"):
        return "no wrk"
    return "" if os.path.exists(EXAMPLE) else f"no {EXAMPLE}"


def rows():
    if missing():
        print(f"httpd-…: left out: {missing()}", flush=True)
        return []
    return [{"name": f"httpd-{n}", "unit": "ns", "latency": "latency",
             "group": "io", "connections": n,
             "what": f"the wall time a request for a file of {SIZE} bytes, by "
                     f"wrk on {n} connections that are kept; its latencies' "
                     "99th percentile (examples/httpd, net/http)"}
            for n in CONNECTIONS]


def has(row):
    return "connections" in row


def servers(peers):
    """The command of each, without address and folder."""
    found = {"gulch": [EXAMPLE]}
    if "Go" in peers:
        found["Go"] = [peers["Go"], "httpd"]
    return found


def drive(address, connections, ms):
    done = subprocess.run(
        ["wrk", "--latency", "--threads", "1", "--connections",
         str(connections), "--duration", f"{max(round(ms / 1000), 1)}s",
         f"http://{address}/file.txt"],
        check=True, text=True, stdout=subprocess.PIPE, timeout=LIMIT)
    return done.stdout


def figures(said):
    """What wrk said, as a sample."""
    wrong = re.search(r"Non-2xx.*|Socket errors.*", said)
    if wrong:
        raise ValueError(wrong.group())
    requests = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    p99, unit = re.search(r" 99%\s+([\d.]+)(\w+)", said).groups()
    return {"value": 1e9 / requests, "p99": float(p99) * UNITS[unit]}


def sample(server, row, ms, cpus):
    """One sample, all being allowed these processors; None where it fails."""
    env = dict(os.environ, GOMAXPROCS=str(len(cpus)))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/file.txt", "w", encoding="utf-8") as f:
            f.write("x" * SIZE)
        process = subprocess.Popen([*server, "127.0.0.1:0", folder], env=env,
                                   text=True, stdout=subprocess.PIPE)
        try:
            address = process.stdout.readline().split()[-1]
            return figures(drive(address, row["connections"], ms))
        except (subprocess.SubprocessError, OSError, ValueError, IndexError,
                AttributeError) as e:
            print(f"  {row['name']}, {server[0]}: {e}", file=sys.stderr)
            return None
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            os.sched_setaffinity(0, before)
