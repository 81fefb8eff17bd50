#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The arguments of a select are evaluated once, left to right, in C++ too.
. "$srcdir/tests/lib.sh"

for cxx in $(present g++ clang++); do
  for level in 0 2; do
    "$cxx" -std=c++17 -O$level -Iinclude -I"$srcdir/tests" -Wall -Wextra \
      -pedantic -Werror "$srcdir/tests/select_args.cc" -o "$scratch/program" \
      -L.libs -Wl,-rpath,"$PWD/.libs" -lgulch -pthread ||
      fail "build: $cxx -O$level"
    "$scratch/program" || fail "run: $cxx -O$level"
  done
done
finish
