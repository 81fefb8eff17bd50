# SPDX-License-Identifier: BSD-3-Clause
# To add the Check program tests/golang/x.c: tests/golang/x in check_PROGRAMS.
# Headers and other files that they share are in EXTRA_DIST.

if HAVE_CHECK
check_PROGRAMS += \
  tests/golang/afterfunc_test \
  tests/golang/chan_facts \
  tests/golang/chan_test \
  tests/golang/closedchan \
  tests/golang/cond_test \
  tests/golang/context_cause_test \
  tests/golang/context_custom_test \
  tests/golang/context_test \
  tests/golang/context_x_test \
  tests/golang/errgroup_test \
  tests/golang/fixedbugs \
  tests/golang/ken \
  tests/golang/mutex_test \
  tests/golang/net_dial_test \
  tests/golang/net_test \
  tests/golang/net_timeout_test \
  tests/golang/once_test \
  tests/golang/os_pipe_test \
  tests/golang/poll_test \
  tests/golang/powser1 \
  tests/golang/reflect_test \
  tests/golang/rwmutex_test \
  tests/golang/select3 \
  tests/golang/select5 \
  tests/golang/select_facts \
  tests/golang/select_test \
  tests/golang/sieve \
  tests/golang/signal_ctx_test \
  tests/golang/signal_test \
  tests/golang/sleep_test \
  tests/golang/sleep_timer_test \
  tests/golang/test_chan \
  tests/golang/test_misc \
  tests/golang/test_select \
  tests/golang/tick_test \
  tests/golang/waitgroup_test
endif

EXTRA_DIST += \
  tests/golang/README.md \
  tests/golang/blocking.h \
  tests/golang/chan_checks.h \
  tests/golang/choices.h \
  tests/golang/conn_checks.h \
  tests/golang/context_checks.h \
  tests/golang/powser.h \
  tests/golang/signal_checks.h
