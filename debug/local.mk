# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += debug/debug.h
libgulch_la_SOURCES += \
  debug/deadlock.c \
  debug/dump.c \
  debug/dump.h \
  debug/leaks.c \
  debug/sync_waiting.c \
  debug/waiting.c
