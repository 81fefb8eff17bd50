#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# GCH_MAIN, as C11 and as C++17, compiles without a warning, is given the
# arguments, and gives the status; to fall off its end is to return 0.
. "$srcdir/tests/lib.sh"

build() { # source, compiler and options
  source=$1
  shift
  "$@" -Iinclude -Wall -Wextra -pedantic -Werror "$srcdir/tests/$source" \
    -o "$scratch/program" -L.libs -Wl,-rpath,"$PWD/.libs" -lgulch -pthread ||
    fail "build: $*"
}

expect() { # status, output, arguments
  status=$1 output=$2
  shift 2
  said=$("$scratch/program" "$@")
  [ $? = "$status" ] || fail "status: $with: $*"
  [ "$said" = "$output" ] || fail "output: $with: $*"
}

try() { # compiler and options
  with=$*
  build main.c "$@"
  expect 0 "7 1"
  expect 5 "7 1" 5
  build main_unused.c "$@"
  expect 3 ""
}

for cc in $(present gcc clang); do
  try "$cc" -std=c11
  try "$cc" -std=c11 -O2 -Wmissing-prototypes
done
for cxx in $(present g++ clang++); do
  try "$cxx" -x c++ -std=c++17
  try "$cxx" -x c++ -std=c++17 -O2 -DIN_EXTERN_C
done
finish
