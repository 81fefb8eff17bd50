#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/libuv prints what both tasks sent, each in order.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"

timeout 60 examples/libuv >"$scratch/out" || fail "exit status $?"

expect() { # name numbers
  got=$(sed -n "s/^$1 //p" "$scratch/out" | tr '\n' ' ')
  [ "$got" = "$2 " ] || fail "of $1: $got"
}

expect prime "2 3 5 7 11"
expect square "1 4 9 16 25"
[ "$(wc -l <"$scratch/out")" = 10 ] || fail "other lines too"
finish
