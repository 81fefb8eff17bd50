#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/echo echoes, and ends as it should when it is told to stop.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

start_server examples/echo 127.0.0.1:0 60000
wire "$port" +hello =hello +again =again shut end
expect_line "ended after 12 bytes"

# One that is being served is waited for; who comes later is refused.
tests/wire "$port" +one =one "made:$scratch/in" "into:$scratch/go" +two =two \
  shut end &
client=$!
await_file -e "$scratch/in"
kill -TERM "$server"
await_refusal
: >"$scratch/go"
wait "$client" || fail "who was being served was cut off"
await_server 0
expect_line "all have ended"

# One that does not end is cut off.
start_server examples/echo 127.0.0.1:0 10
tests/wire "$port" +one =one "made:$scratch/in again" "into:$scratch/over" end &
client=$!
await_file -e "$scratch/in again"
kill -TERM "$server"
await_server 0
expect_line "cut off after 4 bytes"
: >"$scratch/over"
wait "$client" || fail "who was cut off sees no end"

finish
