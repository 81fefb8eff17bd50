#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A plugin that uses the library, or contains it, may be unloaded and loaded
# again, whatever it has started.
. "$srcdir/tests/lib.sh"

# The compiler alone is told what the plugin is linked with.
try() { # what, library
  # shellcheck disable=SC2086 # a list of words
  $CC -shared -fPIC -Iinclude "$srcdir/tests/plugin.c" \
    -o "$scratch/plugin.so" $2 -pthread >"$scratch/log" 2>&1 || {
    grep -q 'recompile with -fPIC' "$scratch/log" || fail "build: $1"
    return
  }
  for function in no_thread tasks timer thread signals value; do
    "$scratch/host" "$scratch/plugin.so" "$function" || fail "$1: $function"
  done
}

$CC "$srcdir/tests/plugin_host.c" -o "$scratch/host" -ldl -pthread ||
  fail "build: plugin_host.c"
[ -e .libs/libgulch.so ] && try shared "-L.libs -Wl,-rpath,$PWD/.libs -lgulch"
# As distributions do where plugins are to contain it: of the same objects.
$AR cr "$scratch/libgulch_pic.a" \
  $(find . -path '*/.libs/libgulch_la-*.o') && try static "$scratch/libgulch_pic.a"
finish
