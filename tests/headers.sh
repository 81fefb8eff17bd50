#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every public header compiles on its own without a warning.
. "$srcdir/tests/lib.sh"

strict="-Iinclude -fsyntax-only -Wall -Wextra -pedantic -Werror"

try() { # compiler and options; source: standard input
  # shellcheck disable=SC2086 # a list of words
  "$@" $strict - || fail "$*: $header"
}

[ -n "$public_headers" ] || fail "there are no headers"
for header in $public_headers; do
  for cc in $(present gcc clang); do
    echo "#include <$header>" | try "$cc" -std=c11 -x c
  done
  for cxx in $(present g++ clang++); do
    echo "#include <$header>" | try "$cxx" -std=c++17 -x c++
    printf 'extern "C" {\n#include <%s>\n}\n' "$header" |
      try "$cxx" -std=c++17 -x c++
  done
done
finish
