# SPDX-License-Identifier: BSD-3-Clause
# For scripts that test an example which is a server; after lib.sh. The server
# prints "listening on HOST:PORT" first.

# shellcheck disable=SC2154 # scratch comes from lib.sh
said=$scratch/said

# Runs the command; sets server, which takes signals for it (in the foreground:
# each once), and port.
start_server() { # command
  : >"$said"
  timeout --foreground -k 60 60 "$@" >"$said" 2>&1 &
  server=$!
  await_line "listening on"
  port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$said")
}

# Returns once the server has said that.
await_line() {
  tries=0
  until grep -q "$1" "$said"; do
    tries=$((tries + 1))
    if [ $tries = 600 ]; then
      fail "the server has not said \"$1\": $(cat "$said")"
      return
    fi
    sleep 0.05
  done
}

# Returns once there is something in the file, or at least the file.
await_file() { # -s or -e, file
  tries=0
  until [ "$1" "$2" ]; do
    tries=$((tries + 1))
    if [ $tries = 600 ]; then
      fail "there is no ${2##*/}: $(cat "$said")"
      return
    fi
    sleep 0.05
  done
}

expect_line() {
  await_line "$1"
}

# A client with these steps, which all succeed.
wire() {
  tests/wire "$@" || fail "wire $*"
}

# Returns once nobody is let in.
await_refusal() {
  tries=0
  while tests/wire "$port" shut >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries = 600 ]; then
      fail "the server goes on to accept"
      return
    fi
    sleep 0.05
  done
}

# The server has ended, with that status.
await_server() {
  wait "$server"
  got=$?
  [ $got = "$1" ] || fail "the server's exit status is $got: $(cat "$said")"
}
