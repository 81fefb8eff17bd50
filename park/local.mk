# SPDX-License-Identifier: BSD-3-Clause
pkginclude_HEADERS += park/base.h park/panic.h
libgulch_la_SOURCES += \
  park/begin.c \
  park/begin.h \
  park/cancel.h \
  park/clock.c \
  park/clock.h \
  park/cpu.c \
  park/cpu.h \
  park/cpus.c \
  park/cpus.h \
  park/delay.c \
  park/delay.h \
  park/errno.c \
  park/fence.c \
  park/fence.h \
  park/float.h \
  park/fork.c \
  park/fork.h \
  park/futex.c \
  park/futex.h \
  park/linux.h \
  park/lock.c \
  park/lock.h \
  park/panic.c \
  park/parker.c \
  park/parker.h \
  park/runs.c \
  park/runs.h \
  park/sanitize.h \
  park/say.c \
  park/say.h \
  park/setting.c \
  park/setting.h \
  park/sleepers.c \
  park/sleepers.h \
  park/stay.c \
  park/stay.h \
  park/strict.h \
  park/task.h \
  park/thread.c \
  park/thread.h \
  park/thread_id.c \
  park/thread_id.h \
  park/wait.c \
  park/wait.h
