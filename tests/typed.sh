#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What the compiler must refuse of typed channels, as C11 and as C++17.
. "$srcdir/tests/lib.sh"

source=$srcdir/tests/typed_wrong.c

compiles() { # value of WRONG, compiler and options
  wrong=$1 unlimited=
  shift
  case $1 in clang*) unlimited=-ferror-limit=0 ;; esac
  "$@" -Iinclude -Werror -DWRONG="$wrong" -fsyntax-only $unlimited \
    "$source" 2>"$scratch/errors"
}

# The misuses with errors in the last run, which was of all: those in whose block
# a message points to a line.
refused() {
  sed -n 's/.*typed_wrong\.c:\([0-9]*\)[:,].*/\1/p' "$scratch/errors" |
    awk 'FNR == NR { said[$1]; next }
      /^#if IS/ { split($0, part, /[()]/); wrong = part[2] }
      /^#e/ { wrong = 0 }
      wrong && FNR in said { print wrong }' - "$source" | sort -nu
}

# All at once; what no error is found for so may only have been hidden by others.
try() { # compiler and options
  compiles 0 "$@" -Wall -Wextra -pedantic ||
    fail "$*: $(cat "$scratch/errors")"
  compiles -1 "$@" && fail "$*: accepts all misuse"
  found=" $(refused | tr '\n' ' ')"
  for wrong in $wrongs; do
    case $found in *" $wrong "*) continue ;; esac
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
