# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC2034
# What the shell tests share. They run in the build folder; srcdir and the
# tools come from make.
set -u
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# Those of the named commands that are there.
present() {
  for command; do
    command -v "$command" >/dev/null && echo "$command"
  done
}

# An own folder, gone when the test ends.
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# The public headers, as a program includes them.
public_headers=$(cd include && find -L . -name '*.h' | sed 's|^\./||' | sort)

# Fails if anything has failed.
finish() {
  echo "$failures failures"
  exit $((failures != 0))
}
