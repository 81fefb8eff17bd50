# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += chan/chan.h chan/select.h
libgulch_la_SOURCES += \
  chan/case.c \
  chan/chan.c \
  chan/choice.h \
  chan/close.c \
  chan/fds.h \
  chan/fork.c \
  chan/gone.c \
  chan/gone.h \
  chan/impl.h \
  chan/lockorder.c \
  chan/lockorder.h \
  chan/many.c \
  chan/observe.c \
  chan/observe.h \
  chan/park.c \
  chan/park.h \
  chan/random.c \
  chan/random.h \
  chan/ready.h \
  chan/ring.h \
  chan/recv.c \
  chan/registry.c \
  chan/registry.h \
  chan/select.c \
  chan/select_steps.h \
  chan/send.c \
  chan/timed.h \
  chan/waiter.h \
  chan/wakes.c \
  chan/wakes.h
