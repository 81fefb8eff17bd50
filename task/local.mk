# SPDX-License-Identifier: BSD-3-Clause
libgulch_la_SOURCES += \
  task/blocking.c \
  task/key.c \
  task/main.c
