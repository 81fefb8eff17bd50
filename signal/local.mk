# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += signal/signal.h
libgulch_la_SOURCES += \
  signal/notify.c \
  signal/notify_ctx.c \
  signal/registry.c \
  signal/registry.h \
  signal/relay.c \
  signal/relay.h
