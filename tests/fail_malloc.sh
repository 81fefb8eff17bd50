#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Lets each allocation, and each start of a thread, fail in turn: in
# fail_malloc_driver, which uses all of the library, and in the examples. See
# fail_malloc.c for what is required of them.
#   FAIL_STRIDE=1   all of them (default: all in the driver, every third in the
#                   examples)
. "$srcdir/tests/lib.sh"

$CC -shared -fPIC -O1 -w -o "$scratch/fail.so" "$srcdir/tests/fail_malloc.c" \
  -ldl 2>"$scratch/log" || {
  echo "no failing malloc here:"
  cat "$scratch/log"
  exit 77
}

sweep() { # malloc or pthread_create, stride, program …
  what=$1
  stride=$2
  shift 2
  LD_PRELOAD="$scratch/fail.so" FAIL_SWEEP=$what \
    FAIL_STRIDE=${FAIL_STRIDE:-$stride} "$@" || fail "$*, failing $what"
}

sweep malloc 1 tests/fail_malloc_driver
FAIL_ON=1 sweep malloc 1 tests/fail_malloc_driver
sweep pthread_create 1 tests/fail_malloc_driver
FAIL_ON=1 sweep pthread_create 1 tests/fail_malloc_driver

# GLib aborts where there is no memory; OpenSSL crashes where it cannot set itself
# up, and so does libcrypto.
for output in "$srcdir"/examples/*.out; do
  example=examples/$(basename "$output" .out)
  [ -x "$example" ] || continue
  case $example in
  */glib | */tls) FAIL_OURS=1 sweep malloc 3 "$example" ;;
  *) sweep malloc 3 "$example" ;;
  esac
  sweep pthread_create 3 "$example"
done

if [ -x examples/hashtree ]; then
  mkdir "$scratch/tree"
  for i in 1 2 3 4 5 6; do echo $i >"$scratch/tree/$i"; done
  FAIL_OURS=1 sweep malloc 1 examples/hashtree -j 2 "$scratch/tree"
  sweep pthread_create 1 examples/hashtree -j 2 "$scratch/tree"
fi
finish
