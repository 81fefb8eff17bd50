#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# errno is the task's, however a compiler optimises.
. "$srcdir/tests/lib.sh"

shared="-L.libs -Wl,-rpath,$PWD/.libs -lgulch"

try() { # source, library, compiler and options
  source=$1 library=$2
  shift 2
  # shellcheck disable=SC2086 # a list of words
  "$@" -Iinclude -Wall -Wextra -pedantic -Werror "$srcdir/tests/$source" \
    -o "$scratch/program" $library -pthread || fail "build: $*"
  "$scratch/program" || fail "run: $*"
}

for cc in $(present gcc clang); do
  for level in -O0 -O2 -O3; do
    try errno.c "$shared" "$cc" -std=c11 "$level"
  done
  try errno.c "$shared" "$cc" -std=gnu11 -O2 -DERRNO_FIRST -fno-builtin
  if [ -e .libs/libgulch.a ]; then
    try errno.c .libs/libgulch.a "$cc" -std=c11 -O3
  fi
done
for cxx in $(present g++ clang++); do
  try errno.cc "$shared" "$cxx" -std=c++17 -O2
  try errno.cc "$shared" "$cxx" -std=c++17 -O3 -DIN_EXTERN_C -DERRNO_FIRST
done
finish
