/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sleeper is a waiter on the context's done channel too, as a receiver. The
 * group's winner says who may wake it:
 *
 *     winner     means                         set by
 *     WAITING    nobody yet                    enter
 *     BY_WAKER   who took it off the list      that, the list's lock held
 *     BY_DONE    the context is done           the channel's close, its lock
 *                                              held; or enter: was closed
 *     GAVE_UP    it was not listed after all   leave
 *
 * Each is one step from WAITING, so one of them wins, and just one unpark
 * comes: by who won, after its unlock, as its last touch. Before it returns,
 * the sleeper takes what is left of it out of the channel's queue, under the
 * channel's lock, and out of its list, under the list's; so nobody has it in
 * hand then.
 *
 * The two locks are never held together.
 */
#include "context/way_out.h"

#include "chan/observe.h"
#include "chan/timed.h"
#include "context/impl.h"

/* The second is the position on the channel, for reports. */
#define BY_WAKER 0
#define BY_DONE GCH_WAY_OUT

static struct gch_ctx_way_out *of(struct gch_way_out *out) {
  return gch__container_of(out, struct gch_ctx_way_out, out);
}

bool gch__done_queue(gch_chan *done, struct gch_waiter *w) {
  struct gch_waiter *partner;
  bool wake = false;
  gch__lock(&done->lock);
  bool queued = gch__recv_locked(done, NULL, &partner) == EAGAIN;
  if (queued) {
    wake = gch__receiver_comes(done);
    gch__turn_to_queue(done);
    gch__queue_add(&done->receivers, w);
  }
  bool watched = gch__is_watched(done);
  gch__unlock(&done->lock);
  gch__wake(partner);
  if (wake)
    gch__timed_wake();
  if (watched)
    gch__look(done);
  return queued;
}

void gch__done_leave(gch_chan *done, struct gch_waiter *w) {
  gch__lock(&done->lock);
  if (gch__queue_has(&done->receivers, w))
    gch__queue_remove(&done->receivers, w);
  gch__receiver_left(done);
  gch__unlock(&done->lock);
}

static void dequeue(struct gch_ctx_way_out *o) {
  if (o->queued)
    gch__done_leave(o->done, &o->waiter);
}

/* Where it is not queued, that done is closed wins. */
static void enter(struct gch_way_out *out) {
  struct gch_ctx_way_out *o = of(out);
  gch__group_init(&o->group, gch__task_self(), GCH__FOREVER, false);
  o->waiter.group = &o->group;
  o->waiter.pos = BY_DONE;
  o->waiter.elem = NULL;
  o->queued = gch__done_queue(o->done, &o->waiter);
  if (!o->queued)
    gch__claim(&o->group, BY_DONE);
}

static void leave(struct gch_way_out *out) {
  struct gch_ctx_way_out *o = of(out);
  if (gch__claim(&o->group, GCH_GAVE_UP))
    dequeue(o);
  else if (o->queued)
    gch__park(&o->group.parker, GCH__FOREVER);
}

static bool claim(struct gch_way_out *out) {
  return gch__claim(&of(out)->group, BY_WAKER);
}

static int sleep_on(struct gch_way_out *out) {
  struct gch_ctx_way_out *o = of(out);
  if (!o->queued)
    return ECANCELED;
  gch__park(&o->group.parker, GCH__FOREVER);
  /* Relaxed: the unpark came after it. */
  if (atomic_load_explicit(&o->group.winner, memory_order_relaxed) == BY_DONE)
    return ECANCELED;
  dequeue(o);
  return 0;
}

int gch__way_out_init(struct gch_ctx_way_out *o, const gch_ctx *ctx) {
  o->out = (struct gch_way_out){.enter = enter,
                                .leave = leave,
                                .sleep = sleep_on,
                                .claim = claim,
                                .parker = &o->group.parker};
  o->ctx = ctx;
  o->done = gch_ctx_done(ctx);
  o->way = o->done ? &o->out : NULL;
  return gch__ctx_over(ctx, o->done);
}

int gch__way_out_err(struct gch_ctx_way_out *o, int err) {
  if (err == 0)
    return 0;
  int own = gch__ctx_over(o->ctx, o->done);
  return own ? own : err;
}
