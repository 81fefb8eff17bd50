#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/proxy passes on what is said, in both directions, and that no more
# comes; and says who can't be reached.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

start_server examples/echo
echo_server=$server
target=$port
start_server examples/proxy "127.0.0.1:$target"
wire "$port" +hello =hello +again =again shut end
expect_line "12 bytes up, 12 down"

# Each end may fall silent before the other.
tests/wire listen =question shut end >"$scratch/port" 2>&1 &
listener=$!
kill -TERM "$echo_server"
wait "$echo_server"
kill -TERM "$server"
await_server 0
await_file -s "$scratch/port"
start_server examples/proxy "127.0.0.1:$(cat "$scratch/port")"
wire "$port" +question end
await_line "9 bytes up, 0 down"
wait "$listener" || fail "who listened did not hear what it should"

# Nobody is there: what the client sees is the end.
wire "$port" end
expect_line "onnection refused"
kill -TERM "$server"
await_server 0
finish
