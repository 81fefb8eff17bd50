/* SPDX-License-Identifier: BSD-3-Clause */
/* What gulch's own rows share. */
#ifndef GULCH_BENCH_EDGE_GULCH_H
#define GULCH_BENCH_EDGE_GULCH_H

#include "edge.h"

#include <gulch.h>

extern const struct edge edge_block_rows[], edge_wake_rows[],
    edge_compute_rows[], edge_sleep_rows[], edge_timer_rows[], edge_hand_rows[],
    edge_lock_rows[], edge_tree_rows[], io_call_rows[], io_idle_rows[],
    io_readyfd_rows[];

/* Returns when n are parked on c. */
void edge_settle(const gch_chan *c, size_t n);

#endif
