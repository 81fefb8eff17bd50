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
CLEANFILES += bench/bench$(EXEEXT) bench/peers.json bench/scaling.json

EXTRA_DIST += \
  bench/README.md \
  bench/instructions.py \
  bench/instructions.txt \
  bench/measure.py \
  bench/peers.py \
  bench/peers/go/main.go \
  bench/peers/go/rows.go \
  bench/peers/rust/Cargo.toml \
  bench/peers/rust/src/main.rs \
  bench/peers/rust/src/rows.rs \
  bench/report-by-cases.svg \
  bench/report-by-children.svg \
  bench/report-by-crowd.svg \
  bench/report-by-payload.svg \
  bench/report-by-producers.svg \
  bench/report-by-timers.svg \
  bench/report-by-waiters.svg \
  bench/report-channels.svg \
  bench/report-contexts.svg \
  bench/report-one-processor.svg \
  bench/report-select.svg \
  bench/report-tasks.svg \
  bench/report.md \
  bench/report.py \
  bench/scaling.py

# Options of the program, or of the script: make bench BENCHFLAGS='--runs 3'.
BENCHFLAGS =
run_bench_script = PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/bench

.PHONY: bench bench-peers bench-scaling bench-instructions bench-record
bench: bench/bench$(EXEEXT)
	@./bench/bench$(EXEEXT) $(BENCHFLAGS)

bench-peers: bench/bench$(EXEEXT)
	@$(run_bench_script)/peers.py --srcdir=$(srcdir) $(BENCHFLAGS)

bench-scaling: bench/bench$(EXEEXT)
	@$(run_bench_script)/scaling.py --srcdir=$(srcdir) $(BENCHFLAGS)

bench-instructions: bench/bench$(EXEEXT)
	@$(run_bench_script)/instructions.py --srcdir=$(srcdir) $(BENCHFLAGS)

bench-record: bench/bench$(EXEEXT)
	@$(run_bench_script)/instructions.py --srcdir=$(srcdir) --record \
	  $(BENCHFLAGS)

clean-local:
	rm -rf bench/peers-build
