# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += io/io.h
libgulch_la_SOURCES += \
  io/case.c
