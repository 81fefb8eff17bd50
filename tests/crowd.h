/* SPDX-License-Identifier: BSD-3-Clause */
/* Many pairs of tasks that play ping-pong, each on channels of its own: what
   is to go on whatever some other task does. */
#ifndef GULCH_TESTS_CROWD_H
#define GULCH_TESTS_CROWD_H

#include "tasks.h"

#include <stdatomic.h>
#include <stdlib.h>

struct pair {
  gch_chan *there, *back; /* of int */
  int trips;
  const atomic_bool *over; /* NULL: trips says when to stop */
};

static inline void serve(void *arg) {
  struct pair *p = arg;
  for (int v; gch_recv(p->there, &v) == 0;)
    gch_send(p->back, &v);
  gch_close(p->back);
}

/* Check's assertions take a lock each time, which a fork could find taken. */
static inline void play(void *arg) {
  struct pair *p = arg;
  bool ok = true;
  for (int i = 0; p->over ? !atomic_load(p->over) : i < p->trips; i++) {
    int v = -1;
    ok &= gch_send(p->there, &i) == 0 && gch_recv(p->back, &v) == 0 && v == i;
  }
  if (!ok)
    ck_abort_msg("what came back is not what was sent");
  gch_close(p->there);
}

/* Starts a pair; gch_wg_wait(wg) says that both are over, and then the pair may
   be freed. */
static inline struct pair *pair_start(gch_wg *wg, int trips,
                                      const atomic_bool *over) {
  struct pair *p = malloc(sizeof *p);
  ck_assert_ptr_nonnull(p);
  *p = (struct pair){gch_make_of(int, 0), gch_make_of(int, 0), trips, over};
  ck_assert_int_eq(gch_wg_go(wg, serve, p), 0);
  ck_assert_int_eq(gch_wg_go(wg, play, p), 0);
  return p;
}

static inline void pair_free(struct pair *p) {
  gch_unref(p->there);
  gch_unref(p->back);
  free(p);
}

/* So many pairs from start to end. */
static inline void pairs_run(int n, int trips) {
  gch_wg wg = GCH_WG_INIT;
  struct pair **all = calloc((size_t)n, sizeof(struct pair *));
  ck_assert_ptr_nonnull(all);
  for (int i = 0; i < n; i++)
    all[i] = pair_start(&wg, trips, NULL);
  gch_wg_wait(&wg);
  for (int i = 0; i < n; i++)
    pair_free(all[i]);
  free(all);
}

#endif
