#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Each folder includes only what lies before it in the house.
. "$srcdir/tests/lib.sh"

allowed_for() { # folder
  case $1 in
  park) echo ;;
  chan) echo park ;;
  timer) echo park chan ;;
  go) echo park timer ;;
  task) echo park timer go ;;
  sync) echo park ;;
  context) echo park chan timer go sync ;;
  waitgroup) echo park chan timer go context ;;
  signal) echo park chan timer go context ;;
  readyfd) echo park chan ;;
  io) echo park chan timer go context ;;
  net) echo park chan timer go context waitgroup io ;;
  debug) echo park chan timer go task sync context waitgroup signal io net ;;
  esac
}

# The folder where an included file lives; nothing for a system header.
home_of() { # as it stands between the quotes or brackets
  case $1 in
  gulch/*) (cd "$srcdir" && ls -d ./*/"${1#gulch/}") | cut -d/ -f2 ;;
  gulch.h) echo umbrella ;;
  */*) [ ! -e "$srcdir/$1" ] || echo "${1%%/*}" ;;
  esac
}

cd "$srcdir" || exit 1
srcdir=.
files=0
for folder in park chan timer go task sync context waitgroup signal readyfd \
  io net debug; do
  for file in "$folder"/*.[ch]; do
    files=$((files + 1))
    # shellcheck disable=SC2013 # no name has a space
    for included in $(sed -n \
      's/^ *# *include *[<"]\([^>"]*\)[>"].*/\1/p' "$file"); do
      home=$(home_of "$included")
      case " $(allowed_for $folder) $folder " in
      *" ${home:-$folder} "*) ;;
      *) fail "$file includes $included of $home" ;;
      esac
    done
  done
done
[ "$files" -gt 8 ] || fail "found only $files files"
finish
