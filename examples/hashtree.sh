#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/hashtree agrees with sha256sum, and ends as it should when it can't
# do its work, runs out of time, or is told to stop.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"

tree=$scratch/tree
out=$scratch/out
err=$scratch/err

# Runs hashtree; its exit status has to be the first argument.
run() {
  want=$1
  shift
  timeout 300 examples/hashtree "$@" >"$out" 2>"$err"
  got=$?
  [ $got = "$want" ] ||
    fail "hashtree $*: exit status $got, not $want: $(cat "$err")"
}

# The last run printed nothing but a message with these words.
refused() {
  [ ! -s "$out" ] || fail "output beside the message \"$*\""
  grep -q -e "$*" "$err" || fail "no message \"$*\" but: $(cat "$err")"
}

agrees() { # directory; options of hashtree
  dir=$1
  shift
  run 0 "$@" "$dir"
  find "$dir" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum \
    >"$scratch/want"
  cmp "$scratch/want" "$out" || fail "hashtree $* $dir: other sums"
  [ ! -s "$err" ] || fail "hashtree $* $dir: $(cat "$err")"
}

make_tree() {
  mkdir -p "$tree/a/b/c/d" "$tree/empty" "$tree/.hidden"
  : >"$tree/no bytes"
  head -c 3000001 /dev/zero >"$tree/a/large"
  i=0
  while [ $i -lt 300 ]; do
    echo $i >"$tree/a/b/$i"
    i=$((i + 1))
  done
  # shellcheck disable=SC1003 # no quote is meant
  for name in '-dash' 'sp  ace' 'back\slash' 'quo"te' "$(printf 'new\nline')" \
    "$(printf 'latin-\344')" '\\' '*'; do
    echo "$name" >"$tree/a/b/c/$name"
    echo "$name" >"$tree/.hidden/$name"
  done
  ln -s large "$tree/a/link"
  ln -s b "$tree/a/dir link"
  ln -s nowhere "$tree/a/broken link"
  mkfifo "$tree/a/fifo"
}

# Sends the signal until the program ends. Until the program listens it is
# ignored, as that is inherited. Each thread gets it, as ThreadSanitizer keeps
# it from one that is parked.
stop_by() {
  trap '' "$1"
  examples/hashtree "$endless" >"$out" 2>"$err" &
  pid=$!
  trap - "$1"
  tries=0
  while kill -"$1" $pid 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || kill -KILL $pid
    # shellcheck disable=SC2046 # a list of numbers
    kill -"$1" $(ls "/proc/$pid/task" 2>/dev/null) 2>/dev/null
    sleep 0.05
  done
  wait $pid
  got=$?
  [ $got = 130 ] || fail "SIG$1: exit status $got"
  refused "hashtree: interrupted after 0 files, .* MB"
}

make_tree
agrees "$tree"
agrees "$tree" -j 1
agrees "$tree" -j 9 -t 1.5h
agrees "$tree/"
agrees "$tree/a/large"
agrees "$tree/empty"
[ ! -d /usr/include ] || agrees /usr/include

run 2 -j 0
refused usage
run 2 -t soon
refused usage
run 2 "$tree" "$tree"
refused usage

run 1 "$scratch/missing"
refused "hashtree: $scratch/missing: No such file"
if [ -r /proc/self/mem ]; then # there, but can't be read from its start
  run 1 /proc/self/mem
  refused "hashtree: /proc/self/mem: "
fi
if [ "$(id -u)" != 0 ]; then
  chmod 0 "$tree/a/b/c"
  run 1 "$tree"
  refused "hashtree: $tree/a/b/c: Permission denied"
  chmod 700 "$tree/a/b/c"
fi
if [ -c /dev/full ]; then
  examples/hashtree "$tree" 2>"$err" >/dev/full && fail "full disk unnoticed"
fi

run 124 -t 0 "$tree"
refused "hashtree: timed out after 0 files"
run 124 -t 1ns -j 1 "$tree"
refused "hashtree: timed out"

endless=$scratch/endless
mkdir "$endless"
truncate -s 1T "$endless/file" || fail "no large file to be had"
run 124 -t 20ms "$endless"
refused "hashtree: timed out after 0 files, .* MB"
stop_by INT
stop_by TERM
finish
