#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/trace: an id goes through three servers; it is made where there is
# none.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

cr=$(printf '\r')
servers=
start() { # name, the next one's address
  said=$scratch/$1
  start_server examples/trace "$1" 127.0.0.1:0 ${2+"$2"}
  servers="$servers $server"
}

end_server() {
  kill -TERM "$server"
  await_server 0
}

start stock
start orders "127.0.0.1:$port"
start gateway "127.0.0.1:$port"

# Given
trace=4bf92f3577b34da6
wire "$port" "+GET / HTTP/1.1$cr" "+x-trace-ID: $trace$cr" "+$cr" \
  "=HTTP/1.1 200 OK$cr" "~X-Trace-Id: $trace$cr" "~$cr" \
  "=gateway: trace $trace" "=orders: trace $trace" "=stock: trace $trace"
for name in gateway orders stock; do
  said=$scratch/$name
  expect_line "^$name: trace $trace\$"
done

# Prints what a request with these headers is answered.
ask() { # header…
  for header; do
    shift
    set -- "$@" "+$header$cr"
  done
  tests/wire "$port" "+GET / HTTP/1.1$cr" "+Connection: close$cr" "$@" "+$cr" \
    rest | tr -d '\r'
}

# The id that was made, the same in all.
made() { # header…
  ask "$@" >"$scratch/answer"
  id=$(sed -n 's/^gateway: trace //p' "$scratch/answer")
  printf '%s\n' "$id" | grep -Eq '^[0-9a-f]{16}$' || fail "\"$id\" is no id"
  for line in "X-Trace-Id: $id" "orders: trace $id" "stock: trace $id"; do
    grep -Fqx "$line" "$scratch/answer" || fail "\"$line\" is missing"
  done
}

made
first=$id
made
[ "$id" != "$first" ] || fail "two requests have one id"
made "X-Trace-Id: two words"
made "X-Trace-Id:"
made "X-Trace-Id: $(head -c 100 /dev/zero | tr '\0' a)"

# The next one has gone: the id is told all the same.
last=${servers##* }
for server in $servers; do
  [ "$server" = "$last" ] && continue
  end_server
done
wire "$port" "+GET / HTTP/1.1$cr" "+X-Trace-Id: $trace$cr" "+$cr" \
  "=HTTP/1.1 502 Bad Gateway$cr" "~X-Trace-Id: $trace$cr" "~$cr"
server=$last
end_server
finish
