#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds gulch for other processors and another C library, each in
# build-cross/NAME, and runs its Check programs there, under qemu where this
# machine can't.
#
#     tests/cross.sh [--all] [NAME…] [tests/check_x…]
#
# NAME: aarch64 armhf i386 i386-time64 riscv64 s390x ppc64el musl; none: all of
# them. All programs are built, those of the lists below are run (under qemu in
# some minutes each); --all: all that there are. The last lines say of each NAME
# how it went; the status is 0 if nothing of gulch's failed. What qemu itself
# does wrong, and how that is known, is in cross_qemu.sh.
#
# Debian's cross compilers, musl-tools and qemu-user are installed where root
# runs this, else it says what is missing and exits with 77. Check is built for
# each from Debian's source package, which is fetched by apt; nothing of that is
# installed. In the environment: CONFIGURE_OPTIONS; GULCH_TEST_SCALE and
# GULCH_TEST_SECONDS; PROGRAM_SECONDS, after which a program is killed; QEMU, a
# folder with other programs of qemu than the system's; QEMU_NATIVE=no, to have
# i386 run under qemu everywhere.
set -eu
cd "$(dirname "$0")/.."
source=$PWD
base=$PWD/build-cross
jobs=-j$(nproc)
export GULCH_TEST_SCALE="${GULCH_TEST_SCALE-0.1}"
export GULCH_TEST_SECONDS="${GULCH_TEST_SECONDS-200}"
limit=${PROGRAM_SECONDS-600}
# shellcheck source=tests/cross_qemu.sh
. "$source/tests/cross_qemu.sh"

# At least one for each part of the library that knows the processor, the kernel
# or the C library, and for each that parks.
usual='abi blocking chan chan_blocking chan_drop chan_element chan_many
  chan_memory chan_sizes cond ctx ctx_deadline ctx_tree ctx_value dump errgroup
  fiber fiber_ucontext go inherit inherit_task key key_drop leaks maxprocs
  mutex once panic rwmutex select select_args select_blocking signal signal_ctx
  signal_restore strict task task_block task_end task_guard task_mixed
  task_overflow ticker timer timer_func typed wg'

say() {
  echo "cross.sh: $*" >&2
}

# Of the one that $name is: host, the system's name; packages, those that build
# for it; compiler; cflags_all, cflags_tests; ldflags; run, what runs its
# programs; libs, where its libraries are; pages, how large those of memory may be,
# and are said to be by qemu before 10, which can.
describe() {
  libc='' run='' cflags_all="-O2 -g" cflags_tests='' ldflags='' pages='' cppflags=
  case $name in
  aarch64)
    host=aarch64-linux-gnu libc=arm64 run=qemu-aarch64 pages=65536
    cflags_all="-O2 -g -mbranch-protection=standard"
    ;;
  armhf) host=arm-linux-gnueabihf libc=armhf run=qemu-arm ;;
  i386 | i386-time64)
    [ "$name" = i386 ] || cppflags="-D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64"
    host=i686-linux-gnu libc=i386 run=qemu-i386
    # So that programs run without qemu too.
    ldflags="-Wl,--dynamic-linker=/usr/$host/lib/ld-linux.so.2"
    ldflags="$ldflags -Wl,-rpath,/usr/$host/lib"
    ;;
  riscv64) host=riscv64-linux-gnu libc=riscv64 run=qemu-riscv64 ;;
  s390x) host=s390x-linux-gnu libc=s390x run=qemu-s390x ;;
  ppc64el)
    host=powerpc64le-linux-gnu libc=ppc64el run=qemu-ppc64le
    pages=65536
    ;;
  musl) host=x86_64-linux-musl ;;
  *)
    say "what is $name?"
    exit 2
    ;;
  esac
  compiler=$host-gcc
  packages="gcc-$host libc6-dev-$libc-cross qemu-user"
  if [ "$name" = musl ]; then
    compiler=musl-gcc packages="musl-tools linux-libc-dev"
    cflags_tests="-idirafter $base/kernel"
  fi
  libs=/usr/$host
}

have() {
  command -v "$1" >/dev/null
}

# Whether what is needed is there now.
equipped() { # tools
  for tool; do
    have "$tool" && continue
    # shellcheck disable=SC2086 # a list of words
    if [ "$(id -u)" = 0 ] && have apt-get && [ -z "${asked-}" ]; then
      asked=yes
      {
        apt-get -q update &&
          DEBIAN_FRONTEND=noninteractive apt-get -q -y \
            --no-install-recommends install $packages make autoconf automake \
            libtool
      } >"$base/apt.log" 2>&1 || cat "$base/apt.log" >&2
    fi
    have "$tool" && continue
    say "$name: there is no $tool (Debian: $packages)"
    return 1
  done
}

# Check's source, once: apt's own lists, with sources for what the system has
# binaries of.
fetch_check() {
  apt=$base/apt
  [ -d "$base/check" ] && return
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts" \
    "$apt/source"
  : >"$apt/status"
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    grep -qs debian "$list" || continue
    sed 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' "$list" \
      >"$apt/parts/$(basename "$list")"
  done
  cat >"$apt/conf" <<END
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/parts";
APT::Sandbox::User "";
Acquire::Languages "none";
END
  (
    cd "$apt/source"
    export APT_CONFIG="$apt/conf"
    apt-get -q update && apt-get -q --download-only source check &&
      tar xf check_*.orig.tar.* && autoreconf -fi check-*/
  ) >"$apt/log" 2>&1 || {
    cat "$apt/log" >&2
    say "cannot fetch the source of Check"
    exit 77
  }
  mv "$apt"/source/check-*/ "$base/check"
  rm -rf "$apt"
}

# Check itself, without its tests and its documentation.
build_check() {
  [ -e "$dir/root/lib/libcheck.a" ] && return
  mkdir -p "$dir/check"
  (
    cd "$dir/check"
    "$base/check/configure" -q --host="$host" --prefix="$dir/root" \
      --disable-shared --disable-subunit --disable-timeout-tests \
      --disable-build-docs CC="$cc" &&
      make -s "$jobs" -C lib && make -s "$jobs" -C src install &&
      make -s install-includeHEADERS
  ) >"$dir/check.log" 2>&1 || {
    tail -n 30 "$dir/check.log" >&2
    say "$name: cannot build Check"
    return 1
  }
}

# All programs that there are here.
programs_built() {
  # shellcheck disable=SC2016 # it is make's
  printf 'include Makefile\nprograms:\n\t@echo $(check_PROGRAMS)\n' |
    make -s -f - programs
}

# Nor are those run that an earlier build left behind.
complain() {
  for program in $(programs_built); do
    make -s -q "$program" >/dev/null 2>&1 || rm -f "$program"
  done
  grep -E '(error|warning|undefined reference)( |:)' build.log
  echo "$name: not everything builds (build-cross/$name/build.log)"
}

build() {
  cc=$compiler
  have ccache && cc="ccache $compiler"
  build_check || return
  cd "$dir"
  [ -z "$run" ] || cmp -s "$source/tests/qemu_fork.c" qemu_fork.c || {
    cp "$source/tests/qemu_fork.c" . && $cc -O2 -c qemu_fork.c || return
    [ ! -d tests ] || find tests -name 'check_*' -type f ! -name '*.*' -exec rm {} +
  }
  # shellcheck disable=SC2086 # lists of words
  if ! [ -e Makefile ]; then
    # PKG_CONFIG: nothing that this system has is for that one.
    "$source/configure" -q --host="$host" --disable-static --enable-werror \
      CC="$cc" PKG_CONFIG=false CHECK_CFLAGS="-I$dir/root/include $cflags_tests" \
      CHECK_LIBS="${run:+$dir/qemu_fork.o} -L$dir/root/lib -lcheck -lrt -lm" \
      CPPFLAGS="$cppflags" CFLAGS="$cflags_all" LDFLAGS="$ldflags" \
      ${CONFIGURE_OPTIONS-} >configure.log 2>&1 || {
      cat configure.log
      return 1
    }
  fi
  make -s -k "$jobs" libgulch.la >build.log 2>&1 || {
    complain
    return 1
  }
  # shellcheck disable=SC2046 # a list of words
  make -s -k "$jobs" all $(programs_built) >>build.log 2>&1 || complain
}

# Whether this machine runs programs of i386 itself.
runs_i386() {
  [ "${QEMU_NATIVE-}" != no ] &&
    "$libs/lib/ld-linux.so.2" --version >/dev/null 2>&1
}

# How programs are run: GULCH_TEST_EMULATOR, by the tests too.
choose_runner() {
  unset GULCH_TEST_EMULATOR QEMU_LD_PREFIX QEMU_PAGESIZE
  [ "$libc" = i386 ] && runs_i386 && run=
  if [ -n "$run" ]; then
    run=${QEMU:+$QEMU/}$run
    export GULCH_TEST_EMULATOR="$run" QEMU_LD_PREFIX="$libs"
    version=$("$run" --version | sed -n 's/.* version \([^ ]*\).*/\1/p')
    case $version in
    [0-9].*)
      [ -z "$pages" ] || export QEMU_PAGESIZE="$pages"
      left_out="$native $forking"
      ;;
    *) usual="$usual $forking" left_out=$native pages= ;;
    esac
    by="qemu $version, pages of $((${pages:-4096} / 1024)) kB"
  else
    usual="$usual $forking $native" left_out='' by=natively
  fi
  [ -z "$all$programs" ] || left_out=''
}

# What all objects must say for the library to say it.
notes_lost() {
  [ "$name" = aarch64 ] || return 1
  find . -name 'libgulch_la-*.o' -path '*/.libs/*' -exec \
    "$host-ld" -r -o notes.o {} +
  ! "$host-readelf" -n notes.o | grep -q 'BTI, PAC'
}

# Those that are asked for.
chosen() {
  # shellcheck disable=SC2086 # a list of words
  if [ -n "$programs" ]; then
    printf '%s\n' $programs
    return
  fi
  for program in $(programs_built); do
    [ -n "$all" ] || case " $usual " in
    *[[:space:]]"${program#tests/check_}"[[:space:]]*) ;;
    *) continue ;;
    esac
    echo "$program"
  done
}

# A program has its own watchdog; but it may be qemu that hangs, with it.
run_programs() { # programs
  make -s -k "$jobs" check-TESTS LOG_COMPILER="timeout -k 10 $limit $run" \
    TESTS="$1" check_PROGRAMS="$1" >>check-programs.log 2>&1 || true
  kill_left
}

# What hung in a process group of its own.
kill_left() {
  qemu=$(readlink -f "$(command -v "${run:-false}")")
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd")" = "$dir" ] || continue
    case $(readlink "$process/exe") in
    "$qemu" | "$dir"/tests/*) kill -KILL "${process#/proc/}" || true ;;
    esac
  done 2>/dev/null
}

# What failed, and is not excused, has two more tries: see cross_qemu.sh.
try_again() {
  again=
  for result in $(find tests -name '*.trs' | sort); do
    program=${result%.trs}
    grep -q '^:test-result: PASS' "$result" || excused "$program.log" || {
      again="$again $program"
      mv "$program.log" "$program.log.$1"
      rm "$result"
      echo "  $program failed; once more (build-cross/$name/$program.log.$1)"
    }
  done
  [ -z "$again" ] || run_programs "$again"
}

report() {
  passed=0 excused=0 failed=0
  for program in $wanted; do
    [ -x "$program" ] && continue
    failed=$((failed + 1))
    echo "  $program does not build"
  done
  for result in $(find tests -name '*.trs' | sort); do
    if grep -q '^:test-result: PASS' "$result"; then
      passed=$((passed + 1))
    elif excused "${result%.trs}.log"; then
      excused=$((excused + 1))
      echo "  ${result%.trs}: qemu $(reasons "${result%.trs}.log")"
    elif grep -q 'exit status: 1\(24\|37\))$' "${result%.trs}.log"; then
      failed=$((failed + 1))
      echo "  ${result%.trs} hung: killed after $limit s"
    else
      failed=$((failed + 1))
      echo "  ${result%.trs} failed (build-cross/$name/${result%.trs}.log)"
    fi
  done
  if notes_lost; then
    failed=$((failed + 1))
    echo "  the library's objects don't all have the notes of BTI and PAC"
  fi
  tell_left_out
  echo "$name: $passed passed, $failed failed, $excused by qemu's fault ($by)"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# The kernel's headers, for tests; musl has none, and the library wants none.
link_kernel() {
  mkdir -p "$base/kernel"
  for header in linux asm-generic x86_64-linux-gnu/asm; do
    ln -sfn "/usr/include/$header" "$base/kernel/$(basename "$header")"
  done
}

# In a process of its own: cd, exports.
try() (
  describe
  equipped make "$compiler" ${run:+"${QEMU:+$QEMU/}$run"} autoreconf || exit 77
  dir=$base/$name
  mkdir -p "$dir"
  fetch_check
  link_kernel
  [ -e "$source/configure" ] || (cd "$source" && autoreconf -fi >/dev/null)
  choose_runner
  build || exit 1
  find tests \( -name '*.trs' -o -name '*.log.[12]' \) -exec rm {} +
  : >check-programs.log
  wanted=$(chosen) programs=''
  for program in $wanted; do
    [ ! -x "$program" ] || programs="$programs $program"
  done
  run_programs "$programs"
  [ -z "$run" ] || for tried in 1 2; do try_again "$tried"; done
  report
)

mkdir -p "$base"
all='' names='' programs=''
for word; do
  case $word in
  --all) all=yes ;;
  tests/*) programs="$programs $word" ;;
  *) names="$names $word" ;;
  esac
done
result=0
results=''
for name in ${names:-aarch64 armhf i386 i386-time64 riscv64 s390x ppc64el musl}; do
  status=0
  try >"$base/$name.out" || status=$?
  cat "$base/$name.out"
  line=$(grep "^$name: .* passed, " "$base/$name.out") || line="$name: not built"
  case $status in
  0) ;;
  77)
    line="$name: cannot be run here"
    [ "$result" != 0 ] || result=77
    ;;
  *) result=1 ;;
  esac
  results="$results$line
"
done
printf '\n%s' "$results"
exit "$result"
