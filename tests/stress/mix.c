/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mixed load.
 *
 * An item says who sent it, into which channel, as which one. A receiver sees
 * the items of each sender in each channel in rising order; over all receivers
 * the numbers 0, 1, … come once each: their count and sum are compared.
 *
 * Nobody waits for ever: a consumer blocks only on its home channel, or on a
 * set with that in it, so each channel always has somebody who comes back to
 * it. A thread that is both never blocks without a deadline.
 */
#include "mix.h"

#include <string.h>

enum { MAX_ARMS = 6, MOMENT = 30000, MANY = 100 };

static const size_t caps[MIX_CHANS] = {0, 1, 2, 7, 64};

struct item {
  uint32_t from, chan, number, body[7];
};

struct worker {
  struct mix *m;
  struct source *source;
  struct sink *sink;
  uint32_t id, home, random;
};

/* Items */

static uint32_t body_of(const struct item *it, uint32_t i) {
  return (it->from << 24 ^ it->chan << 16 ^ it->number) * (i + 0x9e3779b1u);
}

static struct item next_item(const struct worker *w, uint32_t chan) {
  struct item it = {w->id, chan, w->source->sent[chan], {0}};
  for (uint32_t i = 0; i < 7; i++)
    it.body[i] = body_of(&it, i);
  return it;
}

static void take(struct worker *w, uint32_t chan, const struct item *it) {
  struct sink *k = w->sink;
  require(it->chan == chan && it->from < MIX_SOURCES);
  for (uint32_t i = 0; i < 7; i++)
    require(it->body[i] == body_of(it, i));
  require(it->number >= k->next[it->from][chan]);
  k->next[it->from][chan] = it->number + 1;
  k->count[it->from][chan]++;
  k->sum[it->from][chan] += it->number;
}

static void see_closed(struct worker *w, uint32_t chan, const struct item *it) {
  static const struct item zero;
  require(memcmp(it, &zero, sizeof zero) == 0);
  w->sink->open &= ~(1u << chan);
}

static void received(struct worker *w, uint32_t chan, const struct item *it,
                     int err) {
  if (err == 0)
    take(w, chan, it);
  else
    see_closed(w, chan, it);
}

/* Single operations. Those with a deadline may fail, and then must have done
   nothing. */

static gch_ctx *short_ctx(struct worker *w) {
  gch_ctx *ctx =
      gch_ctx_with_timeout(gch_ctx_background(), pick(&w->random, MOMENT));
  require(ctx != NULL);
  return ctx;
}

/* Many at once: of one sender they have rising numbers, so one after the other
   they are as they would be by single operations. */

static void send_many(struct worker *w, uint32_t chan) {
  struct item items[MANY];
  size_t count = pick(&w->random, MANY + 1), n = MANY;
  for (size_t i = 0; i < count; i++) {
    items[i] = next_item(w, chan);
    w->source->sent[chan]++;
  }
  require(gch_send_many(w->m->chans[chan], items, count, &n) == 0);
  require(n == count);
  memset(items, 0xa5, sizeof items);
}

static void recv_many(struct worker *w, uint32_t chan) {
  struct item items[MANY];
  size_t max = 1 + pick(&w->random, MANY), n = MANY;
  int err = gch_recv_many(w->m->chans[chan], items, max, &n);
  require(n <= max && (n > 0) == (err == 0));
  for (size_t i = 0; i < n; i++)
    take(w, chan, &items[i]);
  if (err != 0)
    received(w, chan, items, err);
}

static void send_one(struct worker *w, uint32_t chan, bool may_block) {
  gch_chan *c = w->m->chans[chan];
  struct item it = next_item(w, chan);
  int err = 0;
  switch (pick(&w->random, may_block ? 5 : 3)) {
  case 0:
    err = gch_try_send(c, &it);
    require(err == 0 || err == EAGAIN);
    break;
  case 1:
    err = gch_send_until(c, &it, soon(&w->random, MOMENT));
    require(err == 0 || err == ETIMEDOUT);
    break;
  case 2: {
    GCH_CTX_AUTO gch_ctx *ctx = short_ctx(w);
    err = gch_send_ctx(ctx, c, &it);
    require(err == 0 || err == ETIMEDOUT);
    break;
  }
  default:
    require(gch_send(c, &it) == 0);
  }
  scribble();
  w->source->sent[chan] += err == 0;
}

static void recv_one(struct worker *w, uint32_t chan, bool may_block) {
  gch_chan *c = w->m->chans[chan];
  struct item it;
  int err = 0;
  memset(&it, 0xa5, sizeof it);
  switch (pick(&w->random, may_block ? 5 : 3)) {
  case 0:
    err = gch_try_recv(c, &it);
    break;
  case 1:
    err = gch_recv_until(c, &it, soon(&w->random, MOMENT));
    break;
  case 2: {
    GCH_CTX_AUTO gch_ctx *ctx = short_ctx(w);
    err = gch_recv_ctx(ctx, c, &it);
    break;
  }
  default:
    err = gch_recv(c, &it);
  }
  scribble();
  if (err == 0 || err == EPIPE)
    received(w, chan, &it, err);
  else
    require((err == EAGAIN || err == ETIMEDOUT) && it.body[6] == 0xa5a5a5a5);
}

/* Selects */

struct arms {
  gch_case cases[MAX_ARMS + 1];
  struct item items[MAX_ARMS];
  int errs[MAX_ARMS];
  uint32_t chans[MAX_ARMS];
  bool sends[MAX_ARMS];
  uint32_t n;
};

static void add_send(struct worker *w, struct arms *a, uint32_t chan) {
  uint32_t i = a->n++;
  a->chans[i] = chan;
  a->sends[i] = true;
  a->items[i] = next_item(w, chan);
  a->cases[i] = GCH_SEND(w->m->chans[chan], &a->items[i]);
}

static void add_recv(struct worker *w, struct arms *a, uint32_t chan) {
  uint32_t i = a->n++;
  bool open = w->sink->open >> chan & 1;
  a->chans[i] = chan;
  a->sends[i] = false;
  a->cases[i] =
      GCH_RECV_ERR(open ? w->m->chans[chan] : NULL, &a->items[i], &a->errs[i]);
}

static void add_way_out(struct worker *w, struct arms *a, bool may_block) {
  switch (pick(&w->random, may_block ? 5 : 3)) {
  case 0:
    a->cases[a->n] = GCH_DEFAULT;
    break;
  case 1:
    a->cases[a->n] = GCH_TIMEOUT(pick(&w->random, MOMENT));
    break;
  case 2:
    a->cases[a->n] = GCH_UNTIL(soon(&w->random, MOMENT));
    break;
  default:
    a->cases[a->n] = GCH_UNTIL(GCH_FOREVER);
  }
}

static void run_arms(struct worker *w, struct arms *a) {
  bool ordered = pick(&w->random, 3) == 0;
  uint32_t i = (uint32_t)(ordered ? gch_select_cases_ordered(a->cases, a->n + 1)
                                  : gch_select_cases(a->cases, a->n + 1));
  require(i <= a->n);
  if (i == a->n)
    return;
  if (a->sends[i])
    w->source->sent[a->chans[i]]++;
  else
    received(w, a->chans[i], &a->items[i], a->errs[i]);
}

static void select_some(struct worker *w, bool send, bool recv, bool block) {
  struct arms a;
  a.n = 0;
  uint32_t n = 1 + pick(&w->random, MAX_ARMS - 1);
  if (recv && block)
    add_recv(w, &a, w->home);
  while (a.n < n) {
    uint32_t chan = pick(&w->random, MIX_CHANS);
    if (send && (!recv || pick(&w->random, 2) == 0))
      add_send(w, &a, chan);
    else
      add_recv(w, &a, chan);
  }
  add_way_out(w, &a, block);
  run_arms(w, &a);
}

/* What the threads do */

static void produce(struct worker *w) {
  while (gch_now() < w->m->end) {
    if (pick(&w->random, 8) == 0)
      send_many(w, pick(&w->random, MIX_CHANS));
    else if (pick(&w->random, 2) == 0)
      send_one(w, pick(&w->random, MIX_CHANS), true);
    else
      select_some(w, true, false, true);
  }
  gch_wg_done(&w->m->sending);
}

static void recv_any(struct worker *w, bool may_block) {
  uint32_t chan = pick(&w->random, MIX_CHANS);
  if (may_block && pick(&w->random, 2) == 0)
    chan = w->home;
  if ((w->sink->open >> chan & 1) == 0)
    return;
  if (may_block && chan == w->home && pick(&w->random, 4) == 0)
    recv_many(w, chan);
  else
    recv_one(w, chan, may_block && chan == w->home);
}

static void consume(struct worker *w) {
  while (w->sink->open != 0) {
    bool home = w->sink->open >> w->home & 1;
    if (pick(&w->random, 2) == 0)
      recv_any(w, home);
    else
      select_some(w, false, true, home);
  }
}

static void sleep_a_moment(struct worker *w) {
  int64_t ns = pick(&w->random, MOMENT), before = gch_now();
  if (pick(&w->random, 2) == 0)
    gch_sleep(ns);
  else
    require(gch_sleep_ctx(gch_ctx_background(), ns) == 0);
  require(gch_now() >= before + ns);
}

static void send_and_receive(struct worker *w) {
  while (gch_now() < w->m->end) {
    uint32_t chan = pick(&w->random, MIX_CHANS);
    switch (pick(&w->random, 10)) {
    case 0:
      send_one(w, chan, false);
      break;
    case 1:
      recv_one(w, chan, false);
      break;
    case 2:
      sleep_a_moment(w);
      break;
    case 3:
      require(gch_len(w->m->chans[chan]) <= caps[chan]);
      require(gch_wg_wait_until(&w->m->sending, soon(&w->random, MOMENT)) ==
              ETIMEDOUT);
      break;
    default:
      select_some(w, true, true, false);
    }
  }
  gch_wg_done(&w->m->sending);
  while (w->sink->open != 0)
    if (pick(&w->random, 2) == 0)
      recv_any(w, false);
    else
      select_some(w, false, true, false);
}

/* Closes the channels when all have sent all. */
static void close_all(struct mix *m) {
  gch_wg_wait(&m->sending);
  for (int i = 0; i < MIX_CHANS; i++)
    require(gch_close(m->chans[i]) == 0);
}

void mix_main(void *mix, int id) {
  struct mix *m = mix;
  uint32_t i = (uint32_t)id;
  struct worker w = {.m = m, .random = stress_seed(id)};
  if (i < MIX_PRODUCERS) {
    w.id = i;
    w.source = &m->sources[i];
    produce(&w);
  } else if ((i -= MIX_PRODUCERS) < MIX_CONSUMERS) {
    w.home = i;
    w.sink = &m->sinks[i];
    consume(&w);
  } else if ((i -= MIX_CONSUMERS) < MIX_BOTH) {
    w.id = MIX_PRODUCERS + i;
    w.source = &m->sources[w.id];
    w.sink = &m->sinks[MIX_CONSUMERS + i];
    send_and_receive(&w);
  } else {
    close_all(m);
  }
}

struct mix *mix_new(int64_t end) {
  struct mix *m = calloc(1, sizeof *m);
  require(m != NULL);
  m->end = end;
  gch_wg_add(&m->sending, MIX_SOURCES);
  for (int i = 0; i < MIX_CHANS; i++)
    require((m->chans[i] = gch_make_of(struct item, caps[i])) != NULL);
  for (int i = 0; i < MIX_SINKS; i++)
    m->sinks[i].open = (1u << MIX_CHANS) - 1;
  return m;
}

static void check_flow(const struct mix *m, int from, int chan) {
  uint64_t n = m->sources[from].sent[chan], count = 0, sum = 0;
  for (int i = 0; i < MIX_SINKS; i++) {
    count += m->sinks[i].count[from][chan];
    sum += m->sinks[i].sum[from][chan];
  }
  ck_assert_uint_eq(count, n);
  ck_assert_uint_eq(sum, n == 0 ? 0 : n * (n - 1) / 2);
}

void mix_check(struct mix *m) {
  for (int from = 0; from < MIX_SOURCES; from++)
    for (int chan = 0; chan < MIX_CHANS; chan++)
      check_flow(m, from, chan);
  for (int i = 0; i < MIX_CHANS; i++)
    gch_unref(m->chans[i]);
  free(m);
}
