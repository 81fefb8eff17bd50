/* SPDX-License-Identifier: BSD-3-Clause */
/* Parking one plain operation on one channel. */
#ifndef GCH_CHAN_PARK_H
#define GCH_CHAN_PARK_H

#include "chan/impl.h"
#include "park/clock.h"

/* Queues on q, a queue of c, whose lock the caller holds and which is released
   here; parks until somebody completes the operation (0, EPIPE) or deadline
   (ETIMEDOUT, and then nobody did). */
int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                 int64_t deadline);

#endif
