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
  for wrong in $wrongs; do
    compiles "$wrong" "$@" && fail "$*: accepts misuse $wrong"
  done
}

# That the compiler says in words why.
says() { # value of WRONG, words, compiler and options
  misuse=$1
  words=$2
  shift 2
  compiles "$misuse" "$@" && fail "$*: accepts misuse $misuse"
  grep -q "$words" "$scratch/errors" || fail "$*: $(cat "$scratch/errors")"
}

wrongs="$(seq 1 17) $(seq 24 27)"

for cc in $(present gcc clang); do
  try "$cc" -std=c11
  says 15 "neither an array" "$cc" -std=c11
done
wrongs=$(seq 1 27)
for cxx in $(present g++ clang++); do
  try "$cxx" -std=c++17 -x c++
  says 15 "neither an array" "$cxx" -std=c++17 -x c++
  says 19 "must be trivially copyable" "$cxx" -std=c++17 -x c++
done
finish
