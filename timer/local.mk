# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += timer/timer.h
libgulch_la_SOURCES += \
  timer/chan_timer.c \
  timer/chan_timer.h \
  timer/clock.c \
  timer/heap.c \
  timer/heap.h \
  timer/queue.c \
  timer/queue.h \
  timer/service.c \
  timer/service.h \
  timer/ticker.c \
  timer/timer.c \
  timer/timer_impl.h
