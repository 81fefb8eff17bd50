# SPDX-License-Identifier: BSD-3-Clause
# Adds up the closing lines of Check programs: "100%: Checks: 9, Failures: 0,
# Errors: 0". Fails where not all is well, or nothing ran.

/^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
  gsub(/,/, "")
  checks += $3
  failures += $5
  errors += $7
}

END {
  bad = failures + errors
  percent = checks > 0 ? int(100 * (checks - bad) / checks) : 0
  printf "%d%%: Checks: %d, Failures: %d, Errors: %d\n", percent, checks,
    failures, errors
  exit checks == 0 || bad > 0
}
