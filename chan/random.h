/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers for select: fast, one generator a thread, not for secrets. */
#ifndef GCH_CHAN_RANDOM_H
#define GCH_CHAN_RANDOM_H

#include <stdint.h>

/* Uniform in [0, n), n > 0; off by less than n in 2^32. */
uint32_t gch__random_below(uint32_t n);

#endif
