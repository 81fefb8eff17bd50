#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/gather: three calls for one request, which end when its client goes
# away, and in the other server too.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

export GULCH_LEAKS=1 # of the servers
cr=$(printf '\r')

other_said=$scratch/other
said=$other_said
start_server examples/gather 127.0.0.1:0
other=$server
said=$scratch/first
start_server examples/gather 127.0.0.1:0 "127.0.0.1:$port"

# Over one connection: two, one after the other; then two at once.
wire "$port" "+GET /1 HTTP/1.1$cr" "+$cr" \
  "=HTTP/1.1 200 OK$cr" "~$cr" "=alpha beta gamma" \
  "+GET /2 HTTP/1.1$cr" "+$cr" \
  "=HTTP/1.1 200 OK$cr" "~$cr" "=alpha beta gamma" \
  "+GET /3 HTTP/1.1$cr" "+$cr" "+GET /4 HTTP/1.1$cr" "+$cr" \
  "~$cr" "=alpha beta gamma" "~$cr" "=alpha beta gamma"
for n in 1 2 3 4; do
  expect_line "^/$n: done\$"
done

# An hour's work, for a client that waits until all three have begun.
: >"$other_said"
tests/wire "$port" "+GET /3600000 HTTP/1.1$cr" "+$cr" "into:$scratch/go" &
client=$!
said=$other_said
for name in alpha beta gamma; do
  await_line "^$name: begun\$"
done
! grep -q canceled "$other_said" || fail "cancelled while the client is there"
: >"$scratch/go"
wait "$client" || fail "the client"
for name in alpha beta gamma; do
  expect_line "^$name: context canceled\$"
done
said=$scratch/first
expect_line "^/3600000: context canceled\$"

# One that fails ends the others; nobody is cut off by that.
wire "$port" "+GET /none HTTP/1.1$cr" "+$cr" "=HTTP/1.1 502 Bad Gateway$cr" \
  "~$cr" "=Protocol error" "+GET /5 HTTP/1.1$cr" "+$cr" \
  "~$cr" "=alpha beta gamma"
wire "$port" "+no HTTP$cr" "=HTTP/1.1 400 Bad Request$cr" "~$cr" end

# Nothing is left of it all.
end_server() {
  kill -TERM "$server"
  await_server 0
  ! grep -q "still alive" "$said" || fail "$said: $(cat "$said")"
}
end_server
server=$other
said=$other_said
end_server
finish
