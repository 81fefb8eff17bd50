#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What make install installs is enough to build and run a program elsewhere.
. "$srcdir/tests/lib.sh"

unset MAKEFLAGS MFLAGS MAKELEVEL
root=$scratch/root
make -s install DESTDIR="$root" >"$scratch/log" 2>&1 || {
  cat "$scratch/log"
  fail "make install"
}

PKG_CONFIG_SYSROOT_DIR=$root
PKG_CONFIG_LIBDIR=$(dirname "$(find "$root" -name gulch.pc)")
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
LD_LIBRARY_PATH=$(dirname "$(find "$root" -name 'libgulch.a' |
  head -n 1)")
export LD_LIBRARY_PATH

cat >"$scratch/program.c" <<'END'
#include <gulch.h>
#include <stdio.h>

static void answer(void *c) {
  int v = 42;
  gch_must(gch_send((gch_chan *)c, &v));
}

int main(void) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 0;
  gch_must(gch_go(answer, c));
  gch_must(gch_recv(c, &v));
  printf("%d\n", v);
}
END

try() { # options of the compiler; options of pkg-config
  # shellcheck disable=SC2046,SC2086 # lists of words
  (cd "$scratch" && $CC $1 program.c $($PKG_CONFIG --cflags --libs $2 gulch) \
    -o program) || fail "build: $*"
  [ "$("$scratch/program")" = 42 ] || fail "run: $*"
}

for header in $public_headers; do
  [ -n "$(find "$root" -path "*/$header")" ] || fail "$header is not installed"
done
[ -z "$(find "$root" -name 'libgulch.so')" ] || try "" ""
[ -z "$(find "$root" -name 'libgulch.a')" ] || try -static --static
finish
