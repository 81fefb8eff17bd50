#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A program that uses every public macro compiles without a warning, links and
# runs, as C11 and as C++17.
. "$srcdir/tests/lib.sh"

# Not for users: parts of other macros and of declarations.
private='GCH_(API|BEGIN_DECLS|CASE_[A-Z_]*|CLEANUP|END_DECLS|NORETURN|PRINTF'
private="$private|SELECT_BY|SYMBOL[A-Z_]*|TYPED_[A-Z]*|UNUSED)"

# shellcheck disable=SC2086 # a list of words
macros=$(cd include && cat -- $public_headers |
  sed -n 's/^#define  *\([Gg][Cc][Hh]_[A-Za-z_]*\).*/\1/p' | sort -u |
  grep -Evx "$private")
[ -n "$macros" ] || fail "there are no macros"
for macro in $macros; do
  grep -qw "$macro" "$srcdir/tests/every_macro.c" ||
    fail "every_macro.c does not use $macro"
done

try() { # source, compiler and options
  source=$1
  shift
  "$@" -Iinclude -I"$srcdir/tests" -Wall -Wextra -pedantic -Werror \
    "$srcdir/tests/$source" -o "$scratch/program" -L.libs \
    -Wl,-rpath,"$PWD/.libs" -lgulch -pthread || fail "build: $*"
  "$scratch/program" || fail "run: $*"
}

for cc in $(present gcc clang); do
  try every_macro.c "$cc" -std=c11
done
for cxx in $(present g++ clang++); do
  try every_macro.cc "$cxx" -std=c++17
  try every_macro.cc "$cxx" -std=c++17 -DIN_EXTERN_C
done
finish
