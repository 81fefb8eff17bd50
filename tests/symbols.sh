#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The library exports just what abi.list says.
. "$srcdir/tests/lib.sh"

# The names that a file defines, but for the version's own.
defined() { # options of nm, file
  $NM --defined-only "$@" | awk 'NF == 3 && $2 != "A" { print $3 }' |
    sed 's/@.*//' | sort -u
}

shared=.libs/libgulch.so
if [ -e "$shared" ]; then
  defined -D "$shared" >"$scratch/exported"
  diff -u "$srcdir/tests/abi.list" "$scratch/exported" ||
    fail "$shared does not export what abi.list says"
fi
static=.libs/libgulch.a
if [ -e "$static" ]; then
  defined -g "$static" | grep -v '^gch_' && fail "$static defines others' names"
fi
[ -e "$shared" ] || [ -e "$static" ] || fail "there is no library"
finish
