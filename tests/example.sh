#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs the example to which the .out file named belongs; it succeeds and prints
# just what is in that file.
name=$(basename "$1" .out)
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
"examples/$name" >"$output" || {
  echo "examples/$name: exit status $?"
  exit 1
}
diff -u "$1" "$output"
