/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mixed load: producers, consumers and threads that are both send and
 * receive on the same few channels, by every kind of operation.
 */
#ifndef GULCH_TESTS_MIX_H
#define GULCH_TESTS_MIX_H

#include "stress.h"

enum {
  MIX_CHANS = 5,
  MIX_PRODUCERS = 4,
  MIX_CONSUMERS = MIX_CHANS, /* each has a home channel */
  MIX_BOTH = 3,
  MIX_SOURCES = MIX_PRODUCERS + MIX_BOTH,
  MIX_SINKS = MIX_CONSUMERS + MIX_BOTH,
  MIX_THREADS = MIX_PRODUCERS + MIX_CONSUMERS + MIX_BOTH + 1
};

/* What one thread has sent into each channel. */
struct source {
  uint32_t sent[MIX_CHANS];
};

/* What one thread has received, by sender and channel. */
struct sink {
  uint32_t next[MIX_SOURCES][MIX_CHANS]; /* nothing before that may come */
  uint32_t count[MIX_SOURCES][MIX_CHANS];
  uint64_t sum[MIX_SOURCES][MIX_CHANS];
  uint32_t open; /* a bit for each channel not seen closed */
};

struct mix {
  gch_chan *chans[MIX_CHANS];
  gch_wg sending;
  int64_t end;
  struct source sources[MIX_SOURCES];
  struct sink sinks[MIX_SINKS];
};

/* mix_main is what thread id of MIX_THREADS runs; they end some time after
   end. mix_check frees, and requires that what was sent is what came. */
struct mix *mix_new(int64_t end);
void mix_main(void *mix, int id);
void mix_check(struct mix *m);

#endif
