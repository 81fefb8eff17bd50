#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Static objects of C++ may use the library, however it is linked.
. "$srcdir/tests/lib.sh"

try() { # what it says, compiler, and what to link with
  right=$1
  cxx=$2
  shift 2
  "$cxx" -std=c++17 -O1 -Iinclude "$srcdir/tests/early.cc" \
    -o "$scratch/early" -pthread "$@" >"$scratch/log" 2>&1 || {
    cat "$scratch/log"
    fail "build: $cxx $*"
    return
  }
  for run in 1 2 3 4 5; do
    said=$(timeout 20 "$scratch/early" 2>&1 | tr '\n' ' ')
    [ "$said" = "$right" ] || fail "$cxx $*, run $run: $said"
  done
}

for cxx in $(present g++ clang++); do
  [ ! -e .libs/libgulch.so ] ||
    try "done done " "$cxx" -L.libs -Wl,-rpath,"$PWD/.libs" -lgulch
  [ ! -e .libs/libgulch.a ] || {
    try "done done " "$cxx" .libs/libgulch.a -lm
    try "done " "$cxx" -DNO_SHARED_LIBRARY -static .libs/libgulch.a -lm
  }
done
finish
