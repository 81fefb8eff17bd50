#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds gulch for 64-bit ARM in build-aarch64/ and runs its Check programs, or
# those named (tests/check_fiber …), under qemu. It needs Debian's packages
# gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user; else it is skipped
# (77). Check for that processor is fetched with apt into build-aarch64/root;
# nothing is installed. In the environment: QEMU, another one than
# qemu-aarch64; CONFIGURE_OPTIONS.
set -eu
cd "$(dirname "$0")/.."
host=aarch64-linux-gnu
build=$PWD/build-aarch64
root=$build/root
programs="$*"
qemu=${QEMU-qemu-aarch64}

for tool in $host-gcc "$qemu" apt-get dpkg; do
  command -v "$tool" >/dev/null && continue
  echo "aarch64.sh: there is no $tool"
  exit 77
done

# Packages of another processor, without telling the system's own apt of it:
# its sources, but lists and a status of our own.
fetch() { # packages
  apt=$build/apt
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root"
  : >"$apt/status"
  cat >"$apt/conf" <<END
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
END
  (
    cd "$apt"
    export APT_CONFIG="$apt/conf"
    apt-get -q update >log 2>&1 && apt-get -q download "$@" >>log 2>&1
  ) || {
    cat "$apt/log"
    echo "aarch64.sh: cannot fetch $*"
    exit 77
  }
  for package in "$apt"/*.deb; do
    dpkg -x "$package" "$root"
  done
  find "$root" -name '*.so*' -delete # so that the static ones are taken
  rm -rf "$apt"
}

libs=$root/usr/lib/$host
[ -e "$libs/libcheck_pic.a" ] || fetch check libsubunit-dev

[ -e configure ] || autoreconf -fi >/dev/null
cd "$build"
# shellcheck disable=SC2086 # lists of words
[ -e Makefile ] || PKG_CONFIG=pkg-config PKG_CONFIG_LIBDIR=$libs/pkgconfig \
  CHECK_CFLAGS=-I$root/usr/include \
  CHECK_LIBS="-L$libs -lcheck_pic -lsubunit -lrt -lm" \
  ../configure -q --host=$host --disable-static --enable-werror \
  ${CONFIGURE_OPTIONS-}

export GULCH_TEST_SCALE="${GULCH_TEST_SCALE-0.1}"
export GULCH_TEST_SECONDS="${GULCH_TEST_SECONDS-600}"
export GULCH_TEST_EMULATOR="$qemu"
export QEMU_LD_PREFIX=/usr/$host
jobs=-j$(nproc)
make -s "$jobs"
rm -f tests/*.trs tests/*/*.trs
make -s -k "$jobs" check LOG_COMPILER="$qemu" \
  TESTS="${programs:-\$(check_PROGRAMS)}" || true

# Whether each failure that a log tells of is qemu's own: version 7.2 dies where
# a forked process starts a thread; 10.0 does not.
excused() { # log
  failures=$(sed -n 's/.*Checks:.*Failures: \([0-9]*\), Errors: 0$/\1/p' "$1")
  died=$(grep -ac '^Bail out.*qemu_plugin_vcpu_init_hook' "$1") || true
  [ -n "$failures" ] && [ "$failures" -le "$died" ]
}

passed=0 excused=0 failed=0
for result in $(find tests -name '*.trs' | sort); do
  if grep -q '^:test-result: PASS' "$result"; then
    passed=$((passed + 1))
  elif excused "${result%.trs}.log"; then
    excused=$((excused + 1))
    echo "${result%.trs}: qemu died"
  else
    failed=$((failed + 1))
    echo "${result%.trs} failed"
  fi
done
echo "aarch64: $passed programs passed, qemu died in $excused, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
