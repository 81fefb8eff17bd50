#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Each task has its own C++ exceptions in flight, wherever the C++ runtime is.
. "$srcdir/tests/lib.sh"

shared="-L.libs -Wl,-rpath,$PWD/.libs -lgulch"
options="-O2 -Iinclude -Wall -Wextra -pedantic -Werror -pthread"

compile() { # object, source, compiler and options
  object=$1 source=$2
  shift 2
  # shellcheck disable=SC2086 # a list of words
  "$@" $options -c "$srcdir/tests/$source" -o "$scratch/$object" ||
    fail "compile: $*"
}

link() { # output, object, library, compiler and options
  output=$1 object=$2 library=$3
  shift 3
  # shellcheck disable=SC2086 # a list of words
  "$@" -pthread "$scratch/$object" -o "$scratch/$output" $library ||
    fail "link: $*"
}

try() { # library, compiler and options
  link program program.o "$@" && { "$scratch/program" || fail "run: $*"; }
}

# Whether the compiler builds with these options here.
can() {
  echo 'int main() { throw 1; }' | "$@" -x c++ - -o "$scratch/can" 2>/dev/null
}

for cxx in $(present g++ clang++); do
  compile program.o exceptions.cc "$cxx" -std=c++17
  try "$shared" "$cxx"
  [ ! -e .libs/libgulch.a ] || try .libs/libgulch.a "$cxx"
  can "$cxx" -static-libstdc++ &&
    try "$shared" "$cxx" -static-libstdc++ -static-libgcc
  [ ! -e .libs/libgulch.a ] || ! can "$cxx" -static ||
    try .libs/libgulch.a "$cxx" -static
  if can "$cxx" -stdlib=libc++; then
    compile program.o exceptions.cc "$cxx" -std=c++17 -stdlib=libc++
    try "$shared" "$cxx" -stdlib=libc++
  fi
done

# A plugin, with its runtime beside it and within.
for cc in $(present gcc clang | head -n 1); do
  compile host.o exceptions_host.c "$cc" -std=gnu11 -Wno-pedantic
  link host host.o "$shared -ldl" "$cc"
done
for cxx in $(present g++ clang++ | head -n 1); do
  compile plugin.o exceptions.cc "$cxx" -std=c++17 -DPLUGIN -fPIC
  for runtime in "" "-static-libstdc++ -Wl,--exclude-libs,ALL"; do
    # shellcheck disable=SC2086 # a list of words
    link plugin.so plugin.o "$shared" "$cxx" -shared $runtime
    "$scratch/host" "$scratch/plugin.so" || fail "run: the plugin, $runtime"
  done
done
finish
