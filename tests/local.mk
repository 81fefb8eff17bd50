# SPDX-License-Identifier: BSD-3-Clause
# To add the Check program tests/check_x.c: tests/check_x in check_PROGRAMS.
# To add the shell test tests/x.sh (it is run in the build folder, with srcdir,
# CC, NM, AR and PKG_CONFIG in the environment): tests/x.sh in dist_check_SCRIPTS.
# What else tests need at hand (data, headers) is in EXTRA_DIST.

if HAVE_CHECK
noinst_LIBRARIES += tests/libharness.a
tests_libharness_a_SOURCES = \
  tests/harness.c \
  tests/harness.h \
  tests/watchdog.c \
  tests/watchdog.h \
  tests/ways.c \
  tests/ways.h

check_PROGRAMS += \
  tests/check_abi \
  tests/check_after_func \
  tests/check_after_func_stop \
  tests/check_blocking \
  tests/check_chan \
  tests/check_chan_blocking \
  tests/check_chan_closed \
  tests/check_chan_drop \
  tests/check_chan_element \
  tests/check_chan_gone \
  tests/check_chan_many \
  tests/check_chan_many_sizes \
  tests/check_chan_memory \
  tests/check_chan_owner \
  tests/check_chan_refs \
  tests/check_chan_sizes \
  tests/check_cond \
  tests/check_ctx \
  tests/check_ctx_bad \
  tests/check_ctx_busy \
  tests/check_ctx_custom \
  tests/check_ctx_deadline \
  tests/check_ctx_ops \
  tests/check_ctx_size \
  tests/check_ctx_sleep \
  tests/check_ctx_tree \
  tests/check_ctx_value \
  tests/check_ctx_walk \
  tests/check_ctx_watch \
  tests/check_deadline \
  tests/check_deadlock \
  tests/check_dump \
  tests/check_dump_anytime \
  tests/check_dump_tasks \
  tests/check_dump_tasks_anytime \
  tests/check_early \
  tests/check_early_shared \
  tests/check_errgroup \
  tests/check_errgroup_limit \
  tests/check_fence \
  tests/check_fiber \
  tests/check_fork \
  tests/check_fork_begin \
  tests/check_fork_chan \
  tests/check_fork_ctx \
  tests/check_fork_embedded \
  tests/check_fork_groups \
  tests/check_fork_malloc \
  tests/check_fork_old \
  tests/check_fork_ring \
  tests/check_fork_once \
  tests/check_fork_signal \
  tests/check_fork_sync \
  tests/check_go \
  tests/check_inherit \
  tests/check_inherit_task \
  tests/check_last_words \
  tests/check_io \
  tests/check_io_cancel \
  tests/check_io_close \
  tests/check_io_kinds \
  tests/check_io_rare \
  tests/check_io_report \
  tests/check_io_many \
  tests/check_io_reuse \
  tests/check_io_select \
  tests/check_io_socket \
  tests/check_io_turns \
  tests/check_key \
  tests/check_key_drop \
  tests/check_group_forms \
  tests/check_leaks \
  tests/check_main \
  tests/check_lifetime \
  tests/check_loader \
  tests/check_maxprocs \
  tests/check_lock \
  tests/check_mutex \
  tests/check_mutex_fair \
  tests/check_nested \
  tests/check_net_addr \
  tests/check_net_dial \
  tests/check_net_lookup \
  tests/check_net_serve \
  tests/check_no_alloc \
  tests/check_no_more_threads \
  tests/check_no_threads \
  tests/check_once \
  tests/check_own_thread \
  tests/check_panic \
  tests/check_quota \
  tests/check_readyfd \
  tests/check_readyfd_ends \
  tests/check_readyfd_race \
  tests/check_real_time \
  tests/check_rwmutex \
  tests/check_rwmutex_until \
  tests/check_select \
  tests/check_select_args \
  tests/check_select_blocking \
  tests/check_select_drop \
  tests/check_select_fair \
  tests/check_signal \
  tests/check_signal_ctx \
  tests/check_signal_restore \
  tests/check_spin \
  tests/check_stop_wait \
  tests/check_strict \
  tests/check_sync_ctx \
  tests/check_sync_ctx_race \
  tests/check_task \
  tests/check_task_block \
  tests/check_task_clash \
  tests/check_task_compute \
  tests/check_task_end \
  tests/check_task_fair \
  tests/check_task_faults \
  tests/check_task_faults_many \
  tests/check_task_fork \
  tests/check_task_guard \
  tests/check_task_mappings \
  tests/check_task_mixed \
  tests/check_task_overflow \
  tests/check_thread_exit \
  tests/check_thread_locals \
  tests/check_thread_locals_large \
  tests/check_ticker \
  tests/check_time \
  tests/check_timer \
  tests/check_timer_chan \
  tests/check_timer_func \
  tests/check_timer_heap \
  tests/check_typed \
  tests/check_wait_ctx \
  tests/check_wg

tests_check_deadlock_SOURCES = tests/check_deadlock.c tests/deadlock_ends.c \
  tests/deadlock_goes_on.c tests/deadlock_scenes.h

# A program whose frames are probed, page by page.
tests_check_task_clash_CFLAGS = $(AM_CFLAGS) $(GULCH_CLASH)

# The same program with the archive, and as others.
tests_check_early_LDFLAGS = $(AM_LDFLAGS) -static
tests_check_early_shared_SOURCES = tests/check_early.c

# As gcc links what has nested functions; said here, for those who warn of it.
tests_check_nested_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,execstack

# Leaving little of what a fixed stack would be, and more than that.
tests_check_thread_locals_CPPFLAGS = $(AM_CPPFLAGS) -DTHREAD_LOCALS=200000
tests_check_thread_locals_large_SOURCES = tests/check_thread_locals.c
tests_check_thread_locals_large_CPPFLAGS = $(AM_CPPFLAGS) -DTHREAD_LOCALS=3000000

# With its source: the library keeps it to itself.
tests_check_fence_SOURCES = tests/check_fence.c park/fence.c

# As are these.
tests_check_lock_SOURCES = tests/check_lock.c park/cpu.c park/cpus.c \
  park/fence.c
tests_check_timer_heap_SOURCES = tests/check_timer_heap.c timer/heap.c

# Fibers, with their sources: as the library has them, and the portable ones.
tests_check_fiber_SOURCES = tests/check_fiber.c tests/fiber_marks.S \
  tests/fiber_marks.h go/fiber.h go/fiber_aarch64.S go/fiber_arm.S \
  go/fiber_i386.S go/fiber_kind.h go/fiber_riscv64.S go/fiber_s390x.S \
  go/fiber_ucontext.c go/fiber_x86_64.S go/notes.h
tests_check_fiber_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_check_fiber_CFLAGS = $(GULCH_CFLAGS) $(CHECK_CFLAGS) -funwind-tables
if HAVE_UCONTEXT
check_PROGRAMS += tests/check_fiber_ucontext
endif
tests_check_fiber_ucontext_SOURCES = $(tests_check_fiber_SOURCES)
# By names of their own: a static library brings its fibers too.
tests_check_fiber_ucontext_CPPFLAGS = $(tests_check_fiber_CPPFLAGS) \
  -UGULCH_UCONTEXT -DGULCH_UCONTEXT=1 -Dgch__fiber_make=ucontext_make \
  -Dgch__fiber_switch=ucontext_switch -Dgch__fiber_jump=ucontext_jump
tests_check_fiber_ucontext_CFLAGS = $(tests_check_fiber_CFLAGS)
endif

EXTRA_DIST += \
  tests/abi.list \
  tests/after_facts.h \
  tests/ahead.h \
  tests/chan_forms.h \
  tests/coverage.sh \
  tests/cross.sh \
  tests/cross_qemu.sh \
  tests/crowd.h \
  tests/qemu_fork.c \
  tests/ends.h \
  tests/ctx_facts.h \
  tests/ctx_race.h \
  tests/dump_tasks.h \
  tests/dump_text.h \
  tests/early.cc \
  tests/errno.c \
  tests/errno.cc \
  tests/every_macro.c \
  tests/every_macro.cc \
  tests/exceptions.cc \
  tests/exceptions_host.c \
  tests/example.sh \
  tests/fail_malloc.c \
  tests/fork_alone.h \
  tests/fork_life.h \
  tests/fork_scene.h \
  tests/hear.h \
  tests/instrumented.c \
  tests/io_facts.h \
  tests/key_facts.h \
  tests/lib.sh \
  tests/main.c \
  tests/main_unused.c \
  tests/model/default.pml \
  tests/model/io.pml \
  tests/model/lock.pml \
  tests/model/mutex.pml \
  tests/model/parker.pml \
  tests/model/rwmutex.pml \
  tests/model/select.pml \
  tests/model/timer.pml \
  tests/net_facts.h \
  tests/net_fake.h \
  tests/own_ctx.h \
  tests/plugin.c \
  tests/plugin_host.c \
  tests/readyfd_facts.h \
  tests/rwmutex_facts.h \
  tests/scene.h \
  tests/select_args.cc \
  tests/summary.awk \
  tests/lock_kinds.h \
  tests/sync_facts.h \
  tests/tasks.h \
  tests/thread_state.h \
  tests/timer_facts.h \
  tests/typed_wrong.c

dist_check_SCRIPTS += tests/includes.sh

# These look at the build itself: not for one with instrumentation.
if !INSTRUMENTED
dist_check_SCRIPTS += \
  tests/errno.sh \
  tests/every_macro.sh \
  tests/exceptions.sh \
  tests/fail_malloc.sh \
  tests/headers.sh \
  tests/install.sh \
  tests/instrumented.sh \
  tests/main.sh \
  tests/model.sh \
  tests/plugin.sh \
  tests/select_args.sh \
  tests/symbols.sh \
  tests/typed.sh
noinst_PROGRAMS += tests/fail_malloc_driver
CLEANFILES += tests/model.passed
endif
