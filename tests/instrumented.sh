#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A program that is built with a sanitizer runs over a library that is not.
. "$srcdir/tests/lib.sh"

shared="-L.libs -Wl,-rpath,$PWD/.libs -lgulch"
unset ASAN_OPTIONS TSAN_OPTIONS LSAN_OPTIONS

compile() { # compiler and option; false: not here
  echo 'int main(void) { return 0; }' >"$scratch/can.c"
  "$@" "$scratch/can.c" -o "$scratch/can" 2>/dev/null && "$scratch/can" ||
    return
  "$@" -std=gnu11 -O1 -g -Iinclude -c "$srcdir/tests/instrumented.c" \
    -o "$scratch/program.o" || fail "compile: $*"
}

link() { # library, compiler and option
  library=$1
  shift
  # shellcheck disable=SC2086 # a list of words
  "$@" "$scratch/program.o" -o "$scratch/program" $library -pthread ||
    fail "link: $*"
}

run() { # argument of the program, or none
  "$scratch/program" "$@" >"$scratch/said" 2>&1
}

expect_success() { # what
  run || { fail "$* ends with $?"; head -n 40 "$scratch/said"; }
}

# LeakSanitizer finds a leak, and nothing else.
leaks() { # what
  for use_after_return in 0 1; do
    ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=$use_after_return
    export ASAN_OPTIONS
    expect_success "$@"
    run leak && fail "$*: no leak is found"
    grep -q 'SUMMARY: .*: 12345 byte' "$scratch/said" ||
      { fail "$*: other leaks"; head -n 40 "$scratch/said"; }
  done
  unset ASAN_OPTIONS
}

# ThreadSanitizer sees no synchronisation in a library that it was not built into,
# and reports races where there are none.
no_reports() { # what
  TSAN_OPTIONS=report_bugs=0 expect_success "$@"
}

for cc in $(present gcc clang); do
  for sanitizer in address leak thread; do
    compile "$cc" -fsanitize=$sanitizer || continue
    for library in "$shared" .libs/libgulch.a; do
      [ "$library" = "$shared" ] || [ -e "$library" ] || continue
      link "$library" "$cc" -fsanitize=$sanitizer || continue
      case $sanitizer in
      thread) no_reports "$cc, $sanitizer, $library" ;;
      *) leaks "$cc, $sanitizer, $library" ;;
      esac
    done
  done
done
finish
