# SPDX-License-Identifier: BSD-3-Clause
# To add the Check program tests/stress/x.c: tests/stress/x in check_PROGRAMS.
# Headers and other files that they share are in EXTRA_DIST.

if HAVE_CHECK
tests_stress_channels_SOURCES = tests/stress/channels.c tests/stress/mix.c \
  tests/stress/mix.h
tests_stress_contexts_SOURCES = tests/stress/contexts.c \
  tests/stress/contexts.h tests/stress/custom.c
tests_stress_timers_SOURCES = tests/stress/groups.c tests/stress/timers.c \
  tests/stress/timers.h
tests_stress_signals_SOURCES = tests/stress/forks.c tests/stress/signals.c \
  tests/stress/signals.h

tests_stress_tasks_SOURCES = tests/stress/mix.c tests/stress/mix.h \
  tests/stress/tasks.c tests/stress/tasks_mix.c tests/stress/tasks_mix.h

check_PROGRAMS += \
  tests/stress/channels \
  tests/stress/closing \
  tests/stress/contexts \
  tests/stress/dumps \
  tests/stress/lock_memory \
  tests/stress/locks \
  tests/stress/selects \
  tests/stress/signals \
  tests/stress/tasks \
  tests/stress/timers
endif

EXTRA_DIST += \
  tests/stress/README.md \
  tests/stress/stress.h
