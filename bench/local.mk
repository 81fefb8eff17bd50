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

# The groups "edges" and "io": gulch's rows, and their twins in plain C.
EXTRA_PROGRAMS += bench/edges bench/peers/pthreads/edges
edges_programs = bench/edges$(EXEEXT) bench/peers/pthreads/edges$(EXEEXT)
bench_edges_SOURCES = \
  bench/edge.c \
  bench/edge.h \
  bench/edge_block.c \
  bench/edge_compute.c \
  bench/edge_gulch.h \
  bench/edge_hand.c \
  bench/edge_lock.c \
  bench/edge_rows.c \
  bench/edge_sleep.c \
  bench/edge_storm.c \
  bench/edge_timer.c \
  bench/edge_tree.c \
  bench/edge_wake.c \
  bench/io_calls.c \
  bench/io_echo.c \
  bench/io_echo.h \
  bench/io_idle.c \
  bench/io_readyfd.c \
  bench/io_talk.c
bench_edges_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
bench_edges_LDADD = libgulch.la
bench_peers_pthreads_edges_SOURCES = \
  bench/edge.c \
  bench/edge.h \
  bench/edge_storm.c \
  bench/io_echo.c \
  bench/io_echo.h \
  bench/peers/pthreads/block.c \
  bench/peers/pthreads/compute.c \
  bench/peers/pthreads/hand.c \
  bench/peers/pthreads/io_calls.c \
  bench/peers/pthreads/io_readyfd.c \
  bench/peers/pthreads/io_talk.c \
  bench/peers/pthreads/lock.c \
  bench/peers/pthreads/sleep.c \
  bench/peers/pthreads/threads.c \
  bench/peers/pthreads/threads.h \
  bench/peers/pthreads/wake.c
bench_peers_pthreads_edges_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
bench_peers_pthreads_edges_LDADD =

# What wrk drives in the group "io".
if HAVE_LLHTTP
httpd_program = examples/httpd$(EXEEXT)
endif

CLEANFILES += bench/bench$(EXEEXT) $(edges_programs) bench/edges.json \
  bench/io.json bench/peers.json bench/scaling.json

EXTRA_DIST += \
  bench/README.md \
  bench/building.py \
  bench/edges.py \
  bench/edges_report.py \
  bench/httpd.py \
  bench/instructions.py \
  bench/instructions.txt \
  bench/layout.py \
  bench/measure.py \
  bench/peers.py \
  bench/peers/go/edges.go \
  bench/peers/go/edges_block.go \
  bench/peers/go/edges_compute.go \
  bench/peers/go/edges_hand.go \
  bench/peers/go/edges_lock.go \
  bench/peers/go/edges_sleep.go \
  bench/peers/go/edges_timer.go \
  bench/peers/go/edges_tree.go \
  bench/peers/go/edges_wake.go \
  bench/peers/go/httpd.go \
  bench/peers/go/io_calls.go \
  bench/peers/go/io_echo.go \
  bench/peers/go/main.go \
  bench/peers/go/rows.go \
  bench/peers/rust/Cargo.toml \
  bench/peers/rust/src/edges.rs \
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

.PHONY: bench bench-edges bench-io bench-peers bench-scaling bench-instructions \
  bench-record
bench: bench/bench$(EXEEXT)
	@./bench/bench$(EXEEXT) $(BENCHFLAGS)

bench-edges: $(edges_programs)
	@$(run_bench_script)/edges.py --srcdir=$(srcdir) $(BENCHFLAGS)

bench-io: $(edges_programs) $(httpd_program)
	@$(run_bench_script)/edges.py --srcdir=$(srcdir) --group=io $(BENCHFLAGS)

bench-peers: bench/bench$(EXEEXT) $(edges_programs) $(httpd_program)
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
