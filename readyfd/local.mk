# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += readyfd/readyfd.h
libgulch_la_SOURCES += \
  readyfd/readyfd.c \
  readyfd/signal_fd.c \
  readyfd/signal_fd.h
