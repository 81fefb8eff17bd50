# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += io/io.h
libgulch_la_SOURCES += \
  io/arms.c \
  io/attempt.c \
  io/attempt.h \
  io/call.c \
  io/call.h \
  io/case.c \
  io/close.c \
  io/copy.c \
  io/epoll.c \
  io/fork.c \
  io/made.c \
  io/made.h \
  io/poll.c \
  io/poller.c \
  io/poller.h \
  io/read.c \
  io/record.c \
  io/record.h \
  io/sleep.c \
  io/sleep.h \
  io/socket.c \
  io/stdio.c \
  io/table.c \
  io/table.h \
  io/wait.c \
  io/write.c
