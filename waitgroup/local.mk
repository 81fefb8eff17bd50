# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += waitgroup/errgroup.h waitgroup/wg.h
libgulch_la_SOURCES += \
  waitgroup/count.h \
  waitgroup/errgroup.c \
  waitgroup/wg.c
