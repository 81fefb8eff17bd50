# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += go/go.h
libgulch_la_SOURCES += \
  go/fiber.h \
  go/fiber_aarch64.S \
  go/fiber_kind.h \
  go/fiber_ucontext.c \
  go/fiber_x86_64.S \
  go/go.c \
  go/job.h \
  go/timer_func.c
