/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closing and the last unref, against everything else. Each thread holds a
 * reference of its own and gives it back when it is done.
 */
#include "stress.h"

#include <string.h>

enum { TESTS = 4, SENDERS = 4, RECEIVERS = 3, MOMENT = 20000 };

static const size_t caps[] = {0, 1, 2, 7, 64};

static size_t any_cap(uint32_t *random) {
  return caps[pick(random, sizeof caps / sizeof *caps)];
}

struct tally {
  _Atomic uint64_t count, sum;
};

static void tally_add(struct tally *t, uint64_t value) {
  atomic_fetch_add(&t->count, 1);
  atomic_fetch_add(&t->sum, value);
}

static void tally_clear(struct tally *t) {
  atomic_store(&t->count, 0);
  atomic_store(&t->sum, 0);
}

/* All that happens to values: the sums of both sides must be the same. */
static struct tally sent, got, dropped;

static void drop(void *elem) {
  uint64_t value;
  memcpy(&value, elem, sizeof value);
  tally_add(&dropped, value);
}

static void check_tallies(void) {
  ck_assert_uint_eq(sent.count, got.count + dropped.count);
  ck_assert_uint_eq(sent.sum, got.sum + dropped.sum);
  tally_clear(&sent);
  tally_clear(&got);
  tally_clear(&dropped);
}

/* One send in one of the ways that there are. */
static int send_somehow(gch_chan *c, uint64_t value, uint32_t *random) {
  int err = 0;
  switch (pick(random, 6)) {
  case 0:
    return gch_try_send(c, &value);
  case 1:
    return gch_send_until(c, &value, soon(random, MOMENT));
  case 2:
    return gch_select(GCH_SEND_ERR(c, &value, &err), GCH_DEFAULT) == 0 ? err
                                                                       : EAGAIN;
  case 3:
    gch_select(GCH_SEND_ERR(c, &value, &err), GCH_RECV(NULL, NULL));
    return err;
  default:
    return gch_send(c, &value);
  }
}

/* NULL as the destination leaves the value to drop. */
static int recv_somehow(gch_chan *c, uint64_t *value, uint32_t *random) {
  int err = 0;
  switch (pick(random, 6)) {
  case 0:
    return gch_try_recv(c, value);
  case 1:
    return gch_recv_until(c, value, soon(random, MOMENT));
  case 2:
    return gch_select(GCH_RECV_ERR(c, value, &err), GCH_DEFAULT) == 0 ? err
                                                                      : EAGAIN;
  case 3:
    gch_select(GCH_RECV_ERR(c, value, &err), GCH_SEND(NULL, value));
    return err;
  default:
    return gch_recv(c, value);
  }
}

static int recv_and_count(gch_chan *c, uint32_t *random) {
  uint64_t value = 1;
  bool discard = pick(random, 8) == 0;
  int err = recv_somehow(c, discard ? NULL : &value, random);
  if (err == 0 && !discard)
    tally_add(&got, value);
  return err;
}

static int send_and_count(gch_chan *c, uint32_t *random) {
  uint64_t value = test_random(random);
  int err = send_somehow(c, value, random);
  if (err == 0)
    tally_add(&sent, value);
  return err;
}

/* A channel for one round, with a reference for each of n threads. */
struct round_chan {
  gch_chan *chan;
  uint32_t random;
  int n;
};

static void make_round_chan(void *shared) {
  struct round_chan *r = shared;
  r->chan = gch_make_of(uint64_t, any_cap(&r->random));
  require(r->chan && gch_set_drop(r->chan, drop) == 0);
  for (int i = 1; i < r->n; i++)
    gch_ref(r->chan);
}

static void check_round(void *shared) {
  (void)shared;
  check_tallies();
}

static void run_rounds(void (*act)(void *, int), int threads) {
  struct round_chan chan = {NULL, stress_seed(0), threads};
  struct rounds r = {.prepare = make_round_chan,
                     .act = act,
                     .check = check_round,
                     .shared = &chan,
                     .end = stress_end(TESTS)};
  rounds_run(&r, threads);
}

/* Senders and receivers go on until they see the close. */
static void until_closed(void *shared, int id) {
  gch_chan *c = ((struct round_chan *)shared)->chan;
  uint32_t random = stress_seed(id);
  int err = 0;
  dawdle(&random, 300);
  if (id == 0)
    require(gch_close(c) == 0);
  else if (id <= SENDERS)
    while ((err = send_and_count(c, &random)) != EPIPE)
      require(err == 0 || err == EAGAIN || err == ETIMEDOUT);
  else
    while ((err = recv_and_count(c, &random)) != EPIPE)
      require(err == 0 || err == EAGAIN || err == ETIMEDOUT);
  gch_unref(c);
}

START_TEST(a_send_gets_EPIPE_just_where_its_value_was_not_delivered) {
  run_rounds(until_closed, 1 + SENDERS + RECEIVERS);
}
END_TEST

/* Some leave early: what they leave behind is dropped. */
static int anything(gch_chan *c, uint32_t *random) {
  switch (pick(random, 10)) {
  case 0:
    return gch_close(c);
  case 1:
    return gch_len(c) <= gch_cap(c) ? 0 : EINVAL;
  case 2:
    gch_waiting(c, NULL, NULL);
    return 0;
  case 3:
    gch_unref(gch_ref(c));
    return 0;
  default:
    return pick(random, 2) == 0 ? send_and_count(c, random)
                                : recv_and_count(c, random);
  }
}

static void anything_then_unref(void *shared, int id) {
  gch_chan *c = ((struct round_chan *)shared)->chan;
  uint32_t random = stress_seed(id), n = pick(&random, 12);
  dawdle(&random, 300);
  if (id == 0)
    gch_close(c); /* nobody stays blocked */
  else
    for (uint32_t i = 0; i < n; i++)
      if (anything(c, &random) == EPIPE)
        break;
  gch_unref(c);
}

START_TEST(anybody_may_close_and_be_the_last_to_unref) {
  run_rounds(anything_then_unref, 8);
}
END_TEST

/* The receiver frees the channel while its sender may still be on the way out:
   out of the lock, or out of the unpark. */
struct mailbox {
  gch_chan *mail; /* of gch_chan * */
  int64_t end;
};

static void pass_on(gch_chan *c, uint64_t value, uint32_t *random) {
  int err = 0;
  dawdle(random, 100);
  switch (pick(random, 4)) {
  case 0:
    gch_close(c);
    return;
  case 1:
    gch_select(GCH_SEND_ERR(c, &value, &err), GCH_RECV(NULL, NULL));
    break;
  default:
    err = gch_send(c, &value);
  }
  scribble();
  require(err == 0);
}

static void send_channels(struct mailbox *m, uint32_t *random) {
  for (uint64_t n = 1; gch_now() < m->end; n++) {
    gch_chan *c = gch_make_of(uint64_t, pick(random, 2));
    require(c != NULL);
    gch_ref(c);
    require(gch_send(m->mail, &c) == 0);
    pass_on(c, n, random);
    gch_unref(c);
  }
  require(gch_close(m->mail) == 0);
}

static void receive_channels(struct mailbox *m, uint32_t *random) {
  gch_chan *c;
  for (uint64_t n = 1; gch_recv(m->mail, &c) == 0; n++) {
    uint64_t value;
    int err;
    if (pick(random, 2) == 0)
      err = gch_recv(c, &value);
    else
      gch_select(GCH_RECV_ERR(c, &value, &err), GCH_RECV(NULL, NULL));
    scribble();
    require(value == (err == EPIPE ? 0 : n));
    gch_unref(c);
  }
}

static void mailbox_main(void *shared, int id) {
  struct mailbox *m = (struct mailbox *)shared + id / 2;
  uint32_t random = stress_seed(id);
  if (id % 2 == 0)
    send_channels(m, &random);
  else
    receive_channels(m, &random);
}

START_TEST(a_channel_is_freed_as_soon_as_its_value_is_there) {
  enum { PAIRS = 3 };
  struct mailbox boxes[PAIRS];
  struct crew crew;
  for (int i = 0; i < PAIRS; i++) {
    boxes[i].mail = gch_make_of(gch_chan *, 0);
    boxes[i].end = stress_end(TESTS);
  }
  crew_start(&crew, 2 * PAIRS, mailbox_main, boxes);
  crew_join(&crew);
  for (int i = 0; i < PAIRS; i++)
    gch_unref(boxes[i].mail);
}
END_TEST

/* A close wakes everybody who is parked, however they wait; a losing case
   leaves nothing behind, so the channels can be freed at once. */
static struct { gch_chan *stop, *other; } parked;

enum { WAITERS = 8 };

static void make_parked(void *shared) {
  (void)shared;
  parked.stop = gch_make(0, 0);
  parked.other = gch_make_of(int, 0);
  require(parked.stop && parked.other);
}

static void unref_parked(void *shared) {
  (void)shared;
  gch_unref(parked.stop);
  gch_unref(parked.other);
}

static void wait_somehow(uint32_t *random) {
  int value = 7, err = 0;
  switch (pick(random, 3)) {
  case 0:
    require(gch_recv(parked.stop, NULL) == EPIPE);
    break;
  case 1:
    require(gch_recv_until(parked.stop, NULL, gch_now() + GCH_HOUR) == EPIPE);
    break;
  default:
    require(gch_select(GCH_RECV(parked.other, &value),
                       GCH_RECV_ERR(parked.stop, NULL, &err)) == 1);
    require(err == EPIPE && value == 7);
  }
  scribble();
}

static void wait_or_close(void *shared, int id) {
  uint32_t random = stress_seed(id);
  (void)shared;
  dawdle(&random, 2000);
  if (id == 0)
    require(gch_close(parked.stop) == 0);
  else
    wait_somehow(&random);
}

START_TEST(a_close_wakes_everybody) {
  struct rounds r = {.prepare = make_parked,
                     .act = wait_or_close,
                     .check = unref_parked,
                     .end = stress_end(TESTS)};
  rounds_run(&r, 1 + WAITERS);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/closing");
  TCase *t = test_case(s, "closing");
  tcase_add_test(t, a_send_gets_EPIPE_just_where_its_value_was_not_delivered);
  tcase_add_test(t, anybody_may_close_and_be_the_last_to_unref);
  tcase_add_test(t, a_channel_is_freed_as_soon_as_its_value_is_there);
  tcase_add_test(t, a_close_wakes_everybody);
  return s;
}
