/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attempts: one system call that does not wait, or not for long. 0; EAGAIN:
 * there is nothing to be done now, and nothing was; or what the call gave.
 *
 *     adopted             read, write: O_NONBLOCK is set
 *     a socket            recv, send: MSG_DONTWAIT
 *     anything else       preadv2, pwritev2 with RWF_NOWAIT; where the kernel
 *                         does not have that for it: poll, then read; or write,
 *                         of no more than what poll promised
 *     always ready        read, write, whole: it is a file
 *
 * What is no socket is known by ENOTSOCK, the first time.
 */
#ifndef GCH_IO_ATTEMPT_H
#define GCH_IO_ATTEMPT_H

#include "io/call.h"

/* *n: how much was read, or written. */
int gch__attempt_read(struct gch_io_call *c, void *buf, size_t len, size_t *n);
int gch__attempt_write(struct gch_io_call *c, const void *buf, size_t len,
                       size_t *n);

#endif
