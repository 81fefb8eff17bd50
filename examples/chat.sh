#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# In examples/chat all hear what one says, who comes, who goes, and who is idle
# has to go.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

start_server examples/chat 127.0.0.1:0 60000
tests/wire "$port" +ann "=ann has arrived" "made:$scratch/ann" \
  "=bob has arrived" "+hello bob" "=ann: hello bob" "=bob: hello ann" \
  "=bob has left" +bye "=ann: bye" shut end &
ann=$!
await_file -e "$scratch/ann"
wire "$port" +bob "=bob has arrived" "=ann: hello bob" "+hello ann" \
  "=bob: hello ann" shut end
wait "$ann" || fail "ann did not hear what she should"

# Who says no name never arrives; who is there at the end sees it.
wire "$port" shut end
tests/wire "$port" +carl "=carl has arrived" +hi "=carl: hi" \
  "made:$scratch/in" end &
carl=$!
await_file -e "$scratch/in"
kill -TERM "$server"
await_server 0
wait "$carl" || fail "carl did not see the end"

# Who is idle.
start_server examples/chat 127.0.0.1:0 300
wire "$port" +eve "=eve has arrived" end
kill -TERM "$server"
await_server 0
finish
