# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += sync/sync.h
libgulch_la_SOURCES += \
  sync/cond.c \
  sync/impl.h \
  sync/mutex.c \
  sync/once.c \
  sync/rwmutex.c
