# SPDX-License-Identifier: BSD-3-Clause
# The bench is built and run only by its own targets: see bench/README.md.

EXTRA_PROGRAMS = bench/bench
bench_bench_SOURCES = \
  bench/bench.c \
  bench/bench.h \
  bench/chan_rows.c \
  bench/ctx_rows.c \
  bench/run.c \
  bench/sample.c \
  bench/select_rows.c \
  bench/task_rows.c
bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
bench_bench_LDADD = libgulch.la
CLEANFILES = bench/bench$(EXEEXT)

.PHONY: bench
bench: bench/bench$(EXEEXT)
	@./bench/bench$(EXEEXT) $(BENCHFLAGS)
