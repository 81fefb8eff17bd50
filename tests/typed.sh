#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What the compiler must refuse of typed channels, as C11 and as C++17.
. "$srcdir/tests/lib.sh"

compiles() { # value of WRONG, compiler and options
  wrong=$1
  shift
  "$@" -Iinclude -Werror -DWRONG="$wrong" -fsyntax-only \
    "$srcdir/tests/typed_wrong.c" 2>"$scratch/errors"
}

try() { # compiler and options
  compiles 0 "$@" -Wall -Wextra -pedantic ||
    fail "$*: $(cat "$scratch/errors")"
  for wrong in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
    compiles "$wrong" "$@" && fail "$*: accepts misuse $wrong"
  done
}

for cc in $(present gcc clang); do
  try "$cc" -std=c11
done
for cxx in $(present g++ clang++); do
  try "$cxx" -std=c++17 -x c++
done
finish
