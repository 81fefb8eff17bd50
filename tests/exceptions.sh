#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Each task has its own C++ exceptions in flight, wherever the C++ runtime is.
. "$srcdir/tests/lib.sh"

shared="-L.libs -Wl,-rpath,$PWD/.libs -lgulch"
options="-O2 -Iinclude -Wall -Wextra -pedantic -Werror -pthread"

build() { # output, source, library, compiler and options
  output=$1 source=$2 library=$3
  shift 3
  # shellcheck disable=SC2086 # a list of words
  "$@" $options "$srcdir/tests/$source" -o "$scratch/$output" $library ||
    fail "build: $*"
}

try() { # library, compiler and options
  build program exceptions.cc "$@" && { "$scratch/program" || fail "run: $*"; }
}

# Whether the compiler builds with these options here.
can() {
  echo 'int main() { throw 1; }' | "$@" -x c++ - -o "$scratch/can" 2>/dev/null
}

for cxx in $(present g++ clang++); do
  try "$shared" "$cxx" -std=c++17
  [ ! -e .libs/libgulch.a ] || try .libs/libgulch.a "$cxx" -std=c++17
  can "$cxx" -static-libstdc++ &&
    try "$shared" "$cxx" -std=c++17 -static-libstdc++ -static-libgcc
  can "$cxx" -stdlib=libc++ && try "$shared" "$cxx" -std=c++17 -stdlib=libc++
  [ ! -e .libs/libgulch.a ] || ! can "$cxx" -static ||
    try .libs/libgulch.a "$cxx" -std=c++17 -static
done

# A plugin, with its runtime beside it and within.
for cc in $(present gcc clang | head -n 1); do
  build host exceptions_host.c "$shared -ldl" "$cc" -std=gnu11 -Wno-pedantic
done
for cxx in $(present g++ clang++ | head -n 1); do
  for runtime in "" "-static-libstdc++ -Wl,--exclude-libs,ALL"; do
    # shellcheck disable=SC2086 # a list of words
    build plugin.so exceptions.cc "$shared" "$cxx" -std=c++17 -DPLUGIN -shared \
      -fPIC $runtime
    "$scratch/host" "$scratch/plugin.so" || fail "run: the plugin, $runtime"
  done
done
finish
