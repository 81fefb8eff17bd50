/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A descriptor that is readable or not, as it is told: an eventfd or, where
 * there is none, a pipe.
 */
#ifndef GCH_READYFD_SIGNAL_FD_H
#define GCH_READYFD_SIGNAL_FD_H

#include <stdbool.h>

struct gch_signal_fd {
  int fd;      /* to be polled; -1: closed */
  int written; /* what to write to: fd, or the pipe's other end; -1: no such
                  could be made in a forked child, and fd is the parent's */
  bool readable;
};

/* 0 or errno. */
int gch__signal_fd_open(struct gch_signal_fd *s);
void gch__signal_fd_close(struct gch_signal_fd *s);
void gch__signal_fd_set(struct gch_signal_fd *s, bool readable);

/* In a forked child: another of the same number, not readable. */
void gch__signal_fd_forked(struct gch_signal_fd *s);

#endif
