# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += go/go.h
libgulch_la_SOURCES += \
  go/extras.c \
  go/extras.h \
  go/fiber.h \
  go/fiber_aarch64.S \
  go/fiber_arm.S \
  go/fiber_i386.S \
  go/fiber_kind.h \
  go/fiber_riscv64.S \
  go/fiber_s390x.S \
  go/fiber_ucontext.c \
  go/fiber_x86_64.S \
  go/go.c \
  go/guard.c \
  go/idle.c \
  go/job.h \
  go/lack.c \
  go/map.c \
  go/map.h \
  go/monitor.c \
  go/notes.h \
  go/overflow.c \
  go/overflow.h \
  go/park_until.c \
  go/proc.c \
  go/quota.c \
  go/quota.h \
  go/ready.c \
  go/roots.c \
  go/sanitizer.c \
  go/sanitizer.h \
  go/sched.c \
  go/sched.h \
  go/spawn.h \
  go/stack.c \
  go/stack.h \
  go/stack_map.c \
  go/stack_size.c \
  go/stack_size.h \
  go/start.c \
  go/stop_x86_64.S \
  go/switch.c \
  go/task_thread.c \
  go/thread.c \
  go/timer_func.c
