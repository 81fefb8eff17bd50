#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Per folder of the library, the share of the lines of its .c files that have
# run, and each file that misses some. In the folder of a build configured with
# --enable-coverage --disable-shared, by gcc, after make check.
set -eu
find . -name 'libgulch_la-*.gcda' \
  -exec gcov -n {} + | awk '
  /^File / { file = $2; gsub(/\047/, "", file) }
  /^Lines executed:/ && file ~ /\.c$/ {
    split($0, word, /[:% ]+/)
    percent = word[3]
    lines = word[5]
    n = split(file, part, "/")
    folder = part[n - 1]
    total[folder] += lines
    covered[folder] += lines * percent / 100
    if (percent < 100)
      missing[folder] = missing[folder] \
        sprintf("    %-24s %6.2f%% of %4d\n", part[n], percent, lines)
    file = ""
  }
  END {
    for (folder in total) {
      printf "%-12s %6.2f%% of %4d lines\n%s", folder,
        100 * covered[folder] / total[folder], total[folder], missing[folder]
      all += total[folder]
      ran += covered[folder]
    }
    printf "%-12s %6.2f%% of %4d lines\n", "all", 100 * ran / all, all
  }'
