# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += go/go.h
libgulch_la_SOURCES += \
  go/go.c \
  go/job.h \
  go/timer_func.c
