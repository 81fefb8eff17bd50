# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += net/net.h
libgulch_la_SOURCES += \
  net/addr.c \
  net/address.c \
  net/address.h \
  net/dial.c \
  net/impl.h \
  net/listen.c \
  net/lookup.c \
  net/lookup.h \
  net/resolve.c \
  net/serve.c
