# SPDX-License-Identifier: BSD-3-Clause
# To add the example examples/x.c whose standard output must be just what is in
# examples/x.out: one line below.
# To add one that a script examples/x.sh tests (it is run in the build folder,
# with srcdir in the environment, so the program is examples/x):
#   noinst_PROGRAMS += examples/x
#   dist_check_SCRIPTS += examples/x.sh

example_programs = \
  examples/adaptive_fetch \
  examples/after_timeout \
  examples/cancel_tree \
  examples/fan \
  examples/graceful \
  examples/merge_cancel \
  examples/or_done \
  examples/phases \
  examples/pingpong \
  examples/powser1 \
  examples/process_items \
  examples/pubsub \
  examples/rate_limit \
  examples/sieve \
  examples/timed_ctx \
  examples/timeout_worker \
  examples/trace_header \
  examples/values

EXTRA_DIST += examples/example.h

# Servers, and what uses the net: tested by scripts, with tests/wire for a
# client.
net_examples = \
  examples/chat \
  examples/echo \
  examples/portscan \
  examples/proxy
noinst_PROGRAMS += $(net_examples)
dist_check_SCRIPTS += $(net_examples:=.sh)
check_PROGRAMS += tests/wire
tests_wire_LDADD =
EXTRA_DIST += tests/servers.sh

if HAVE_CRYPTO
noinst_PROGRAMS += examples/hashtree
examples_hashtree_SOURCES = examples/hashtree.c examples/hashtree_file.c \
  examples/hashtree_file.h
examples_hashtree_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
examples_hashtree_LDADD = libgulch.la $(CRYPTO_LIBS)
dist_check_SCRIPTS += examples/hashtree.sh
endif
