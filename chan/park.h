/* SPDX-License-Identifier: BSD-3-Clause */
/* Parking one plain operation on one channel. */
#ifndef GCH_CHAN_PARK_H
#define GCH_CHAN_PARK_H

#include "chan/impl.h"

/* Queues an operation on q, a queue of c, whose lock the caller holds and which
   is released here; and parks until somebody completes it (0, EPIPE) or deadline
   (ETIMEDOUT, and then nobody did). */
int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                 int64_t deadline);

/* The same without a deadline for the running task, self. */
int gch__park_task(gch_chan *c, struct gch_queue *q, void *elem,
                   struct gch_task *self);

#endif
