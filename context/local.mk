# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += context/ctx.h context/typed.h
libgulch_la_SOURCES += \
  context/after_func.c \
  context/ask.c \
  context/cancel.c \
  context/ctx.c \
  context/custom.c \
  context/impl.h \
  context/ops.c \
  context/strerror.c \
  context/string.c \
  context/sync.c \
  context/tree.c \
  context/walk.c \
  context/walk.h \
  context/way_out.c \
  context/way_out.h
