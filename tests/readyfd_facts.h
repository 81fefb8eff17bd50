/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a readyfd's descriptor is readable. */
#ifndef GULCH_TESTS_READYFD_FACTS_H
#define GULCH_TESTS_READYFD_FACTS_H

#include "harness.h"

#include <errno.h>
#include <poll.h>

static inline bool readable(const gch_readyfd *r) {
  struct pollfd p = {.fd = gch_readyfd_fd(r), .events = POLLIN};
  int n;
  while ((n = poll(&p, 1, 0)) < 0)
    ck_assert_int_eq(errno, EINTR);
  return n == 1 && (p.revents & POLLIN);
}

static inline void await_readable(const gch_readyfd *r) {
  struct pollfd p = {.fd = gch_readyfd_fd(r), .events = POLLIN};
  while (poll(&p, 1, -1) != 1)
    ck_assert_int_eq(errno, EINTR);
}

/* Where another's call may be about to say otherwise. */
static inline void await_unreadable(const gch_readyfd *r) {
  while (readable(r))
    gch_yield();
}

/* One that observes c. */
static inline gch_readyfd *readyfd_of(gch_chan *c, int what) {
  gch_readyfd *r = gch_readyfd_new();
  ck_assert_ptr_nonnull(r);
  ck_assert_int_eq(gch_readyfd_add(r, c, what, c), 0);
  return r;
}

#endif
