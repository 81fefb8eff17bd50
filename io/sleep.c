/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's wait: sleep.h. */
#include "io/sleep.h"

#include "context/impl.h"
#include "context/way_out.h"

/* Of a waiter that nobody has claimed. */
enum { UNTOUCHED = -1 };

static int64_t deadline_of(const struct gch_io_call *c, int way) {
  return atomic_load_explicit(&c->record->ways[way].deadline,
                              memory_order_relaxed);
}

static int64_t user_deadline(const struct gch_io_call *c) {
  int64_t deadline = deadline_of(c, c->way);
  if (c->both && deadline_of(c, !c->way) < deadline)
    deadline = deadline_of(c, !c->way);
  return deadline;
}

bool gch__io_is_late(const struct gch_io_call *c) {
  return gch__has_passed(user_deadline(c));
}

int64_t gch__io_sleeps_until(const struct gch_io_call *c) {
  int64_t user = user_deadline(c);
  return user < c->deadline ? user : c->deadline;
}

/* Out of the queues of the record: those for readiness, or the turns'. */
static void take_out(struct gch_io_sleep *s, const struct gch_io_call *c,
                     bool turns) {
  struct gch_fd *r = c->record;
  gch__lock(&r->lock);
  for (int way = 0; way < GCH_FD_WAYS; way++) {
    struct gch_queue *q = turns ? &r->ways[way].turns : &r->ways[way].waiters;
    if (gch__io_waits_for(c, way) && gch__queue_has(q, &s->on_fd[way]))
      gch__queue_remove(q, &s->on_fd[way]);
  }
  gch__unlock(&r->lock);
}

/* False: done is closed, and nobody had claimed the group before. */
static bool queue_on_done(struct gch_io_sleep *s, gch_chan *done) {
  s->on_done = (struct gch_waiter){.group = &s->group, .pos = GCH_WAY_OUT};
  s->on_done_queued = gch__done_queue(done, &s->on_done);
  return s->on_done_queued || !gch__claim(&s->group, GCH_WAY_OUT);
}

void gch__io_sleep_init(struct gch_io_sleep *s, const struct gch_io_call *c,
                        int64_t deadline) {
  gch__group_init(&s->group, gch__task_self(), deadline, !c->done && !c->both);
  s->on_done_queued = false;
  for (int way = 0; way < GCH_FD_WAYS; way++)
    s->on_fd[way] = (struct gch_waiter){.group = &s->group,
                                        .elem = (void *)(uintptr_t)c->word,
                                        .pos = GCH_NO_CASE,
                                        .err = UNTOUCHED};
}

/* What the claimer said. */
static int told(const struct gch_io_sleep *s, const struct gch_io_call *c) {
  int err = s->on_fd[c->way].err;
  return c->both && err == UNTOUCHED ? s->on_fd[!c->way].err : err;
}

/* err, of a sleep: 0: go on; ESTALE: the same, but nothing has happened. */
static int judge(const struct gch_io_call *c, int err) {
  if (err == ECANCELED)
    return gch__ctx_over(c->ctx, c->done);
  if (err == ETIMEDOUT && !gch__has_passed(c->deadline))
    err = ESTALE; /* the user's, which may have been changed */
  if (err == ESTALE && gch__io_is_late(c))
    return ETIMEDOUT;
  return err;
}

int gch__io_sleep(struct gch_io_sleep *s, const struct gch_io_call *c,
                  bool for_turn, int64_t deadline) {
  bool over = c->done && !queue_on_done(s, c->done);
  int err = over ? 0 : gch__park(&s->group.parker, deadline);
  if (err != 0 && !gch__claim(&s->group, GCH_GAVE_UP))
    err = gch__park(&s->group.parker, GCH__FOREVER);
  /* Relaxed: the unpark came after it. */
  uint32_t winner =
      atomic_load_explicit(&s->group.winner, memory_order_relaxed);
  if (s->on_done_queued && winner != GCH_WAY_OUT)
    gch__done_leave(c->done, &s->on_done);
  if (err == 0 && winner == GCH_WAY_OUT)
    err = ECANCELED;
  if (err != 0 || c->both)
    take_out(s, c, for_turn);
  return judge(c, err ? err : told(s, c));
}
