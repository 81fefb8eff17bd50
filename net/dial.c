/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dialling. A host with one address is connected to by the caller. For one with
 * several each attempt is a task (RFC 8305, "happy eyeballs"):
 *
 *     the caller                               an attempt
 *       starts the first                         connects, until ctx is done
 *       waits for an attempt to end, 300 ms,     notes how it ended
 *         or ctx                                 sends its place to `ended`
 *       starts the next, unless one has won
 *       …
 *       cancels ctx, waits for all               done
 *
 * Everything is on the caller's stack, or is freed by it, as it returns after
 * the last attempt: a cancelled one ends at once. `ended` has room for all.
 */
#include "net/impl.h"

#include "io/made.h"

#include <gulch/net.h>
#include <gulch/timer.h>
#include <gulch/wg.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_START (300 * GCH_MILLISECOND)

/* A connection to itself: both ends chose the same port, since nobody listens
   there. */
static bool meets_itself(int fd, const struct gch_address *a) {
  struct gch_address own = {0}, peer = {0};
  own.len = peer.len = sizeof own.room;
  return a->any.sa_family != AF_UNIX &&
         getsockname(fd, &own.any, &own.len) == 0 &&
         getpeername(fd, &peer.any, &peer.len) == 0 && own.len == peer.len &&
         memcmp(&own.room, &peer.room, own.len) == 0;
}

static int connect_once(const gch_ctx *ctx, const struct gch_network *network,
                        const struct gch_address *a, int *fd) {
  int err = gch__net_socket(network, a, fd);
  if (err)
    return err;
  gch__net_set_options(*fd, network);
  err = gch_io_connect_ctx(ctx, *fd, &a->any, a->len);
  if (err == 0 && network->type == SOCK_STREAM && meets_itself(*fd, a))
    err = EADDRINUSE;
  if (err)
    gch_io_close(*fd);
  return err;
}

/* 0 and *fd, or an error. */
static int connect_to(const gch_ctx *ctx, const struct gch_network *network,
                      const struct gch_address *a, int *fd) {
  enum { TRIES = 3 };
  int err = EADDRINUSE;
  for (int i = 0; i < TRIES && err == EADDRINUSE; i++)
    err = connect_once(ctx, network, a, fd);
  return err;
}

/* Several addresses */

struct race {
  const gch_ctx *ctx;
  const struct gch_network *network;
  gch_chan *ended; /* of struct attempt * */
  gch_wg wg;
};

struct attempt {
  struct race *race;
  const struct gch_address *address;
  int err, fd;
};

static void run(void *arg) {
  struct attempt *t = arg;
  t->err = connect_to(t->race->ctx, t->race->network, t->address, &t->fd);
  gch_send(t->race->ended, &t);
}

/* Waits for one to end, or until then, or ctx is done (NULL). */
static struct attempt *next_to_end(struct race *r, int64_t until) {
  struct attempt *t = NULL;
  gch_select(GCH_RECV(r->ended, &t), GCH_RECV(gch_ctx_done(r->ctx), NULL),
             GCH_UNTIL(until));
  return t;
}

/* The one that has won; NULL: none. The next starts when the latest has had its
   time, or has failed: not when an older one fails. */
static struct attempt *run_all(struct race *r, struct attempt *t, size_t n) {
  size_t started = 0, ended = 0;
  int64_t next_at = gch_now();
  while (ended < n && gch_ctx_err(r->ctx) == 0) {
    if (started < n && gch_now() >= next_at) {
      struct attempt *next = &t[started++];
      if (gch_wg_go(&r->wg, run, next) != 0) {
        next->err = ENOMEM;
        ended++;
        continue;
      }
      next_at = gch_in(HEAD_START);
    }
    struct attempt *one = next_to_end(r, started < n ? next_at : GCH_FOREVER);
    if (one && one->err == 0)
      return one;
    ended += one != NULL;
    if (one == &t[started - 1])
      next_at = gch_now();
  }
  return NULL;
}

/* Of those that were started; what only says that this computer has no such
   family is said where there is nothing else to say. */
static int first_error(const struct attempt *t, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (t[i].err != 0 && t[i].err != EAFNOSUPPORT)
      return t[i].err;
  return t[0].err;
}

static int race(const gch_ctx *parent, const struct gch_network *network,
                const struct gch_addresses *found, int *fd) {
  gch_ctx *ctx = gch_ctx_with_cancel(parent);
  gch_chan *ended = gch_make(sizeof(struct attempt *), found->n);
  struct attempt *t = calloc(found->n, sizeof *t), *won = NULL;
  int err = ENOMEM;
  if (ctx && ended && t) {
    struct race r = {ctx, network, ended, GCH_WG_INIT};
    for (size_t i = 0; i < found->n; i++)
      t[i] = (struct attempt){&r, &found->at[i], ECANCELED, -1};
    won = run_all(&r, t, found->n);
    err = gch_ctx_err(parent);
    gch_ctx_cancel(ctx);
    gch_wg_wait(&r.wg);
    for (size_t i = 0; i < found->n; i++)
      if (t[i].err == 0 && (err || &t[i] != won))
        gch_io_close(t[i].fd);
    if (err == 0 && !won)
      err = first_error(t, found->n);
    if (err == 0 && !won)
      err = ECANCELED; /* a context of the user's without an error */
    if (err == 0)
      *fd = won->fd;
  }
  free(t);
  gch_unref(ended);
  gch_ctx_end(ctx);
  return err;
}

/* The families in turn, each in its order, the first's first. */
static void interleave(struct gch_addresses *found) {
  struct gch_address *at = found->at, moved;
  for (size_t i = 1; i < found->n; i++) {
    size_t k = i;
    while (k < found->n && at[k].any.sa_family == at[i - 1].any.sa_family)
      k++;
    if (k == found->n)
      return;
    moved = at[k];
    memmove(&at[i + 1], &at[i], (k - i) * sizeof *at);
    at[i] = moved;
  }
}

static int dial(const gch_ctx *ctx, const char *network, const char *address,
                int *fd) {
  struct gch_network n;
  struct gch_addresses found;
  int err = gch_ctx_err(ctx);
  if (err || (err = gch__network_parse(network, &n)) != 0)
    return err;
  err = gch__net_resolve(ctx, &n, address, false, &found);
  if (err == 0 && found.n == 1) {
    err = connect_to(ctx, &n, found.at, fd);
  } else if (err == 0) {
    interleave(&found);
    err = race(ctx, &n, &found, fd);
    if (err == 0)
      gch__fd_made(*fd); /* not by the attempt */
  }
  free(found.at);
  return err;
}

int gch_net_dial(const gch_ctx *ctx, const char *network, const char *address,
                 int *fd) {
  int saved = errno, own = -1;
  int err = dial(ctx, network, address, &own);
  if (err == 0 && fd)
    *fd = own;
  else if (err == 0)
    gch_io_close(own);
  errno = saved;
  return err;
}
