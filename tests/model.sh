#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Has spin check the models in tests/model: without a fault as they are, and
# with one where -D breaks the design on purpose. Skipped without spin. What the
# models say depends on nothing else: when they have passed, their sum is left
# in the build folder, and they are checked again once it is another.
command -v spin >/dev/null || exit 77
models=$(cd "${srcdir:-.}/tests/model" && pwd)
passed=$PWD/tests/model.passed
sum=$(cat "$0" "$models"/*.pml | cksum)
if [ "$(cat "$passed" 2>/dev/null)" = "$sum" ]; then
  echo "unchanged since they passed"
  exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

check() { # expected errors (0, or 1 for some), model, -D…
  expected=$1 model=$2
  shift 2
  spin -a "$@" "$models/$model" >log 2>&1 &&
    ${CC:-cc} -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c &&
    ./pan -m100000 >log 2>&1
  if ! grep -q "errors: $expected" log; then
    cat log
    echo "model.sh: $model $*: expected errors: $expected"
    exit 1
  fi
}

check 0 parker.pml
check 1 parker.pml -DSTORE
check 0 default.pml
check 1 default.pml -DONE_LOOK
check 1 default.pml -DNO_TURNS
check 1 default.pml -DSWAPPED
check 0 io.pml
check 0 io.pml -DEDGE
check 1 io.pml -DNO_SEQ -DEDGE
check 1 io.pml -DNO_KICK
check 1 io.pml -DNO_WAIT
check 1 io.pml -DNO_STATE
check 1 io.pml -DTWICE
check 1 io.pml -DNO_COUNT
check 0 lock.pml
check 1 lock.pml -DLIGHT
check 1 lock.pml -DEARLY
check 1 lock.pml -DFORGET
check 0 mutex.pml
check 1 mutex.pml -DKEEP_WOKEN
check 1 mutex.pml -DUNSEEN
check 0 rwmutex.pml
check 1 rwmutex.pml -DSTAY
check 1 rwmutex.pml -DKEEP_WOKEN
check 1 rwmutex.pml -DUNSEEN
check 1 rwmutex.pml -DTRUSTING
check 0 select.pml
check 0 select.pml -DDEADLINE
check 0 select.pml -DCLOSE
check 0 select.pml -DDEADLINE -DCLOSE
check 1 select.pml -DONE_LOCK
check 0 timer.pml
check 1 timer.pml -DLATE_ALARM
check 1 timer.pml -DSTORE
check 1 timer.pml -DNO_OTHERS
check 1 timer.pml -DFREE_AT_ONCE
echo "$sum" >"$passed"
