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
noinst_PROGRAMS += tests/wire
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

# Those that need other people's libraries.

if HAVE_SSL
example_programs += examples/tls
examples_tls_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
examples_tls_LDADD = libgulch.la $(SSL_LIBS)
endif

if HAVE_GLIB
example_programs += examples/glib
examples_glib_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
examples_glib_LDADD = libgulch.la $(GLIB_LIBS)
endif

if HAVE_UV
noinst_PROGRAMS += examples/libuv
examples_libuv_CFLAGS = $(AM_CFLAGS) $(UV_CFLAGS)
examples_libuv_LDADD = libgulch.la $(UV_LIBS)
dist_check_SCRIPTS += examples/libuv.sh
endif

if HAVE_CURL
noinst_PROGRAMS += examples/curl
examples_curl_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
examples_curl_LDADD = libgulch.la $(CURL_LIBS)
endif

# Web servers share a parser, and what is around it.
if HAVE_LLHTTP
noinst_LIBRARIES += examples/libhttp.a
examples_libhttp_a_SOURCES = examples/http.c examples/http.h \
  examples/http_parser.c examples/http_serve.c examples/http_states.c
web_cflags = $(AM_CFLAGS) $(LLHTTP_CFLAGS) -isystem $(LLHTTP_SRC)
examples_libhttp_a_CFLAGS = $(web_cflags)

web_examples = examples/gather examples/httpd examples/trace
noinst_PROGRAMS += $(web_examples)
dist_check_SCRIPTS += $(web_examples:=.sh)
examples_gather_CFLAGS = $(web_cflags)
examples_gather_LDADD = examples/libhttp.a libgulch.la
examples_httpd_CFLAGS = $(web_cflags)
examples_httpd_LDADD = examples/libhttp.a libgulch.la
examples_trace_CFLAGS = $(web_cflags)
examples_trace_LDADD = examples/libhttp.a libgulch.la
endif

EXTRA_DIST += examples/glib.out examples/tls.out
