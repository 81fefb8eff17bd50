# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += debug/debug.h
libgulch_la_SOURCES += \
  debug/code.c \
  debug/code.h \
  debug/deadlock.c \
  debug/dump.c \
  debug/dump.h \
  debug/fds.c \
  debug/leaks.c \
  debug/open_fds.c \
  debug/peek.c \
  debug/peek.h \
  debug/symbol.c \
  debug/sync_waiting.c \
  debug/tasks.c \
  debug/waiting.c
