# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# For cross.sh: what qemu-user itself does wrong, as small programs show that
# have nothing of gulch's. Of each: what is not run for its sake, or what a log
# has where it fails so, and in which words that is told. $run, the qemu, is
# empty where programs run without.

# Programs that fork, and start threads in the child: qemu 7.2 dies there by an
# assertion, or hangs.
forking='deadlock fork fork_begin fork_chan fork_embedded fork_groups fork_old
  fork_ring fork_signal fork_sync main nested own_thread quota task_fork'

# An abort has qemu write words of its own, and waits for who reads them.
native='last_words'

# A line each: what is looked for among a log's failures; "="; what qemu does.
# main_leaves is the 11th of check_deadlock's scenes that go on.
faults='main_that_runs_off_its_stack=does nothing about RLIMIT_STACK
main_that_cannot_be_started=does nothing about RLIMIT_STACK
though_nobody_reads=waits for who reads its words of an abort
signals_do_not_make_it_wait=waits for who reads its words of an abort
another_fault_in_a_task.*QEMU internal=takes a SIGSEGV that is sent for its own
can_wake_is_not:11:.*QEMU internal=dies of /proc/self/stat when main has left'

# qemu 10 hangs in a forked process that starts a thread, if in the parent one
# was just being started, since nobody gives back a lock of its own. No log says
# whether a hang was that: so no fork comes then (qemu_fork.c), and what fails is
# tried again.

# One a line.
failures() { # log
  grep -aE '[0-9]:[FE]:' "$1"
}

# What in 7.2 ends who forks and starts a thread, once for each.
assertions() { # log
  grep -a '^Bail out! ERROR:.*/\(accel\|plugins\)/' "$1"
}

# Whether each failure that a log tells of is one of those.
excused() { # log
  [ -n "$run" ] || return 1
  left=$(failures "$1" | grep -avE "$(echo "$faults" | sed 's/=.*//' |
    paste -s -d '|')" | wc -l)
  died=$(assertions "$1" | wc -l)
  failures "$1" >/dev/null && [ "$left" -le "$died" ]
}

# What they are: words for each.
reasons() { # log
  {
    [ -z "$(assertions "$1")" ] ||
      echo "dies by an assertion where a forked process starts a thread"
    echo "$faults" | while IFS='=' read -r seen told; do
      ! failures "$1" | grep -aqE "$seen" || echo "$told"
    done
  } | sort -u | paste -s -d ';'
}

# $left_out, and why.
tell_left_out() {
  [ -n "$left_out" ] || return 0
  echo "  not run, since qemu waits for who reads its words of an abort:" \
    $native
  case $left_out in
  *fork*)
    echo "  not run, since qemu $version dies where a forked process starts" \
      "threads:" $forking
    ;;
  esac
}
