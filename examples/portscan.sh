#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/portscan finds the ports that are open, and says when it can't look.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

# Where no other test has a server that would be talked to.
host=127.0.0.2
start_server examples/echo "$host:0"
first=$((port > 500 ? port - 500 : 1))
last=$((port < 65035 ? port + 500 : 65535))
timeout 60 examples/portscan "$host" "$first" "$last" >"$scratch/open" ||
  fail "portscan: exit status $?"
grep -qx "$port" "$scratch/open" || fail "port $port is open, and was not found"
sort -n "$scratch/open" | cmp -s - "$scratch/open" || fail "not in order"
kill -TERM "$server"
await_server 0
timeout 60 examples/portscan "$host" "$port" "$port" >"$scratch/open" ||
  fail "portscan: exit status $?"
[ ! -s "$scratch/open" ] || fail "nobody listens there"
timeout 60 examples/portscan no-such-host.invalid 1 2 >"$scratch/open" 2>&1 &&
  fail "no such host, and it says nothing"
timeout 60 examples/portscan >"$scratch/open" 2>&1 && fail "no host"
finish
