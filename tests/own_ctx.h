/* SPDX-License-Identifier: BSD-3-Clause */
/* A context of the program's own kind: a channel, and what is wrong once that
   is closed. */
#ifndef GULCH_TESTS_OWN_CTX_H
#define GULCH_TESTS_OWN_CTX_H

#include <gulch/ctx.h>

#include <stdatomic.h>

struct own {
  gch_chan *done;
  atomic_int err;
  int drops; /* for a drop operation that counts them */
};

static inline gch_chan *own_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return ((struct own *)self)->done;
}

static inline int own_err(void *self, const gch_ctx *parent) {
  (void)parent;
  return atomic_load(&((struct own *)self)->err);
}

static inline void own_drop(void *self) {
  ((struct own *)self)->drops++;
}

#endif
