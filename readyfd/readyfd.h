/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/readyfd.h>: channels in somebody else's event loop: poll, GLib, libuv,
 * Qt.
 *
 *     gch_readyfd *r = gch_readyfd_new();
 *     gch_readyfd_add(r, results, GCH_CAN_RECV, NULL);
 *     struct pollfd p = {.fd = gch_readyfd_fd(r), .events = POLLIN};
 *     int err = EAGAIN;
 *     while (err != EPIPE && poll(&p, 1, -1) >= 0) // or another loop
 *       while ((err = gch_try_recv(results, &v)) == 0)
 *         show(v);
 *
 * The descriptor is readable while some try form named by `what` on an added
 * channel would give something else than EAGAIN: a value or a parked sender
 * (CAN_RECV), room or a parked receiver (CAN_SEND), a close, a timer that is
 * due. It is soon no longer readable after a try gave EAGAIN, or
 * gch_readyfd_ready said that none is ready. So it is level-triggered: who
 * takes one value where there are several is called again.
 *
 * A readyfd takes no values, is no receiver and no sender (an unbuffered
 * channel's sender waits on until somebody receives), and costs channels that
 * are in none nothing. Any number of them may watch one channel.
 *
 * In a forked child the descriptor has the same number and is the child's own:
 * what happens in one process does not show in the other. (An epoll instance
 * that was inherited still has the parent's.)
 */
#ifndef GULCH_READYFD_H
#define GULCH_READYFD_H

#include <gulch/chan.h>

GCH_BEGIN_DECLS

typedef struct gch_readyfd gch_readyfd;

enum { GCH_CAN_RECV = 1, GCH_CAN_SEND = 2 };

/* NULL with errno ENOMEM, EMFILE, ENFILE. */
GCH_API gch_readyfd *gch_readyfd_new(void);

/* To be polled for POLLIN; never to be read, nor closed. */
GCH_API int gch_readyfd_fd(const gch_readyfd *r);

/* Holds a reference to c until it is removed. what: GCH_CAN_RECV, GCH_CAN_SEND
   or both. 0; EEXIST: is in r; EINVAL: no channel, or nothing known in what;
   ENOMEM. */
GCH_API int gch_readyfd_add(gch_readyfd *r, gch_chan *c, int what, void *tag);

/* 0 or ENOENT. */
GCH_API int gch_readyfd_remove(gch_readyfd *r, gch_chan *c);

/* Writes the tags of channels that are ready, at most max, to tags; how many
   are ready in all. Never blocks. */
GCH_API size_t gch_readyfd_ready(gch_readyfd *r, void **tags, size_t max);

/* Removes all, and closes the descriptor. No other call on r may be under way;
   calls on its channels may. */
GCH_API void gch_readyfd_free(gch_readyfd *r);

GCH_END_DECLS

#endif
