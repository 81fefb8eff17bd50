/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's runtime/chan_test.go: channels. Select is in select_test.c. And
   runtime/chanbarrier_test.go. */
#include "chan_checks.h"

#include <stdlib.h>

/* TestChan does all this for each of many capacities; 0 to 19, as in its
   short form, and one that is larger. */
enum { MOST = 19, LARGE = 199 };

static void for_all_caps(void (*fact)(size_t cap)) {
  for (size_t cap = 0; cap <= MOST; cap++)
    fact(cap);
  fact(LARGE);
}

static void receive_one(void *c) {
  int v = -1;
  require(gch_recv(c, &v) == 0 && v == 0);
}

static void receive_from_empty(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = ints(cap);
  go(&wg, receive_one, c);
  go(&wg, receive_one, c);
  await_waiting(c, 0, 2);
  require(gch_try_recv(c, NULL) == EAGAIN);
  require(gch_select(GCH_RECV(c, NULL), GCH_DEFAULT) == 1);
  require(gch_wg_wait_until(&wg, 0) == ETIMEDOUT);
  put(c, 0);
  put(c, 0);
  gch_wg_wait(&wg);
  gch_unref(c);
}

START_TEST(TestChan_receive_from_an_empty_one_blocks) {
  for_all_caps(receive_from_empty);
}
END_TEST

static void send_zero(void *c) {
  put(c, 0);
}

static void send_to_full(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = ints(cap);
  put_all(c, (int)cap);
  go(&wg, send_zero, c);
  await_waiting(c, 1, 0);
  require(try_put(c, 0) == EAGAIN);
  require(gch_select(GCH_SEND(c, &(int){0}), GCH_DEFAULT) == 1);
  require(gch_wg_wait_until(&wg, 0) == ETIMEDOUT);
  require(take(c) == 0);
  gch_wg_wait(&wg);
  gch_unref(c);
}

START_TEST(TestChan_send_to_a_full_one_blocks) {
  for_all_caps(send_to_full);
}
END_TEST

static void receive_from_closed(size_t cap) {
  int v = -1;
  gch_chan *c = ints(cap);
  put_all(c, (int)cap);
  require(gch_close(c) == 0);
  for (int i = 0; i < (int)cap; i++)
    require(take(c) == i);
  require(is_closed(c));
  require(gch_try_recv(c, &v) == EPIPE && v == 0);
  gch_unref(c);
}

START_TEST(TestChan_a_closed_one_drains_and_then_gives_zero) {
  for_all_caps(receive_from_closed);
}
END_TEST

static void receive_close(void *c) {
  require(is_closed(c));
}

static void close_under_receiver(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = ints(cap);
  go(&wg, receive_close, c);
  await_waiting(c, 0, 1);
  require(gch_close(c) == 0);
  gch_wg_wait(&wg);
  gch_unref(c);
}

START_TEST(TestChan_close_unblocks_receive) {
  for_all_caps(close_under_receiver);
}
END_TEST

static void send_100(void *c) {
  put_all(c, 100);
}

static void fifo(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = ints(cap);
  go(&wg, send_100, c);
  for (int i = 0; i < 100; i++)
    require(take(c) == i);
  gch_wg_wait(&wg);
  gch_unref(c);
}

START_TEST(TestChan_values_arrive_in_order) {
  for_all_caps(fifo);
}
END_TEST

enum { CROWD = 4, EACH = 1000 };

struct crowd {
  gch_chan *c;
  int each;
  _Atomic int seen[EACH];
};

static void crowd_send(void *arg) {
  struct crowd *all = arg;
  put_all(all->c, all->each);
}

static void crowd_receive(void *arg) {
  struct crowd *all = arg;
  for (int i = 0; i < all->each; i++)
    all->seen[take(all->c)]++;
}

static void many_to_many(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  struct crowd all = {.c = ints(cap),
                      .each = cap < 2 || cap == LARGE ? 500 : 50};
  if (scaled(EACH) < EACH)
    all.each = scaled(all.each);
  for (int i = 0; i < CROWD; i++) {
    go(&wg, crowd_send, &all);
    go(&wg, crowd_receive, &all);
  }
  gch_wg_wait(&wg);
  for (int i = 0; i < all.each; i++)
    require(all.seen[i] == CROWD);
  require(gch_len(all.c) == 0);
  gch_unref(all.c);
}

START_TEST(TestChan_each_value_of_four_senders_arrives_once) {
  for_all_caps(many_to_many);
}
END_TEST

static void len_and_cap(size_t cap) {
  gch_chan *c = ints(cap);
  require(gch_len(c) == 0 && gch_cap(c) == cap);
  put_all(c, (int)cap);
  require(gch_len(c) == cap && gch_cap(c) == cap);
  gch_unref(c);
}

START_TEST(TestChan_len_and_cap) {
  for_all_caps(len_and_cap);
}
END_TEST

/* One drains and the other closes: the value or the close is there all the
   time, so a receive that does not block must never find nothing. */
struct drain {
  gch_chan *c;
  struct rounds r;
};

static void never_finds_nothing(void *arg) {
  struct drain *d = arg;
  for (int i = 0; follow(&d->r); i++) {
    if (i % 2 == 0)
      require(gch_try_recv(d->c, NULL) != EAGAIN);
    else
      require(gch_select(GCH_RECV(d->c, NULL), GCH_DEFAULT) == 0);
    meet(&d->r, &d->r.follower);
  }
}

static gch_chan *with_one_value(void) {
  gch_chan *c = ints(1);
  put(c, 1);
  return c;
}

START_TEST(TestNonblockRecvRace) {
  gch_wg wg = GCH_WG_INIT;
  struct drain d = {with_one_value(), {.most = scaled(5000)}};
  go(&wg, never_finds_nothing, &d);
  while (lead(&d.r)) {
    require(gch_close(d.c) == 0);
    require(gch_recv(d.c, NULL) != EAGAIN);
    meet(&d.r, &d.r.leader);
    gch_unref(d.c);
    d.c = with_one_value();
  }
  gch_wg_wait(&wg);
  gch_unref(d.c);
}
END_TEST

enum { WORKERS = 23 };

static const int primes[] = {2, 3, 7, 11, 13, 17, 19, 23, 27, 31};
enum { PRIMES = sizeof primes / sizeof *primes };

struct pool {
  gch_chan *work, *results;
  gch_wg workers;
  _Atomic int next_worker;
  int items, sum;
};

static void worker(void *arg) {
  struct pool *p = arg;
  int id = p->next_worker++, v;
  while (gch_recv(p->work, &v) == 0) {
    if (primes[id % PRIMES] == v)
      gch_yield();
    put(p->results, v);
  }
}

static void feed_then_close(void *arg) {
  struct pool *p = arg;
  for (int i = 0; i < p->items; i++) {
    p->sum += primes[i % PRIMES];
    put(p->work, primes[i % PRIMES]);
  }
  require(gch_close(p->work) == 0);
  gch_wg_wait(&p->workers);
  require(gch_close(p->results) == 0);
}

/* The closes alone make p->sum visible here. */
START_TEST(TestMultiConsumer) {
  gch_wg feeder = GCH_WG_INIT;
  struct pool p = {
      ints(WORKERS * 3), ints(WORKERS * 3), GCH_WG_INIT, 0, scaled(10000), 0};
  int n = 0, sum = 0, v;
  for (int i = 0; i < WORKERS; i++)
    go(&p.workers, worker, &p);
  go(&feeder, feed_then_close, &p);
  for (; gch_recv(p.results, &v) == 0; n++)
    sum += v;
  ck_assert_int_eq(n, p.items);
  ck_assert_int_eq(sum, p.sum);
  gch_wg_wait(&feeder);
  gch_unref(p.work);
  gch_unref(p.results);
}
END_TEST

/* chanbarrier_test.go: each request has a channel and a task of its own, which
   answers and ends. Who is last frees the channel: either may be. */

struct request {
  gch_chan *answer, *done; /* a reference of each for the task */
  bool use_select;
};

enum { ANSWER = 42 };

static void answer_request(void *arg) {
  struct request *r = arg;
  int *answer = malloc(sizeof *answer);
  require(answer != NULL);
  *answer = ANSWER;
  if (r->use_select)
    require(gch_select(GCH_SEND(r->answer, &answer), GCH_RECV(r->done, NULL)) ==
            0);
  else
    require(gch_send(r->answer, &answer) == 0);
  gch_unref(r->answer);
  gch_unref(r->done);
}

static void do_request(bool use_select) {
  struct request r = {gch_make_of(int *, 0), gch_make(0, 0), use_select};
  GCH_AUTO gch_chan *answers = gch_ref(r.answer);
  GCH_AUTO gch_chan *done = gch_ref(r.done);
  int *answer = NULL;
  require(gch_go_copy(answer_request, &r, sizeof r) == 0);
  require(gch_recv(answers, &answer) == 0);
  require(*answer == ANSWER);
  free(answer);
}

static void do_requests(void *use_select) {
  int n = scaled(40);
  for (int i = 0; i < n; i++)
    do_request(*(bool *)use_select);
}

static void ask_from_all_sides(bool use_select) {
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 10; i++)
    go(&wg, do_requests, &use_select);
  gch_wg_wait(&wg);
  while (gch_num_tasks() > 0) /* the last may still be on their way out */
    gch_yield();
}

START_TEST(TestChanSendBarrier) {
  ask_from_all_sides(false);
}
END_TEST

START_TEST(TestChanSendSelectBarrier) {
  ask_from_all_sides(true);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/chan");
  TCase *t = test_case(s, "TestChan");
  tcase_add_test(t, TestChan_receive_from_an_empty_one_blocks);
  tcase_add_test(t, TestChan_send_to_a_full_one_blocks);
  tcase_add_test(t, TestChan_a_closed_one_drains_and_then_gives_zero);
  tcase_add_test(t, TestChan_close_unblocks_receive);
  tcase_add_test(t, TestChan_values_arrive_in_order);
  tcase_add_test(t, TestChan_each_value_of_four_senders_arrives_once);
  tcase_add_test(t, TestChan_len_and_cap);
  t = test_case(s, "races");
  tcase_add_test(t, TestNonblockRecvRace);
  tcase_add_test(t, TestMultiConsumer);
  tcase_add_test(t, TestChanSendBarrier);
  tcase_add_test(t, TestChanSendSelectBarrier);
  return s;
}
