/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/chan: doubleselect, fifo, goroutines, nonblock, perm, sendstmt,
   zerosize. The selects are in test_select.c, select3.c and select5.c, the
   sieves in sieve.c. */
#include "chan_checks.h"

#include <stdlib.h>
#include <string.h>

/* doubleselect: a select that sends on one of four channels, each of which is
   read by a relay into one. */

enum { FOUR = 4 };

struct fan {
  gch_chan *in[FOUR], *out;
  gch_wg relays;
  int n;
  _Atomic int next;
};

static void send_to_any(void *arg) {
  struct fan *f = arg;
  for (int i = 0; i < f->n; i++)
    gch_select(GCH_SEND(f->in[0], &i), GCH_SEND(f->in[1], &i),
               GCH_SEND(f->in[2], &i), GCH_SEND(f->in[3], &i));
  for (int i = 0; i < FOUR; i++)
    require(gch_close(f->in[i]) == 0);
}

static void relay(void *arg) {
  struct fan *f = arg;
  gch_chan *in = f->in[f->next++];
  for (int v; gch_recv(in, &v) == 0;)
    put(f->out, v);
}

static void close_when_relayed(void *arg) {
  struct fan *f = arg;
  gch_wg_wait(&f->relays);
  require(gch_close(f->out) == 0);
}

START_TEST(doubleselect_each_value_leaves_by_one_case_only) {
  gch_wg wg = GCH_WG_INIT;
  struct fan f = {.n = scaled(2000), .out = ints(0)};
  bool *seen = calloc((size_t)f.n, sizeof *seen);
  int n = 0;
  for (int i = 0; i < FOUR; i++)
    f.in[i] = ints(0);
  go(&wg, send_to_any, &f);
  for (int i = 0; i < FOUR; i++)
    go(&f.relays, relay, &f);
  go(&wg, close_when_relayed, &f);
  for (int v; gch_recv(f.out, &v) == 0; n++) {
    require(!seen[v]);
    seen[v] = true;
  }
  ck_assert_int_eq(n, f.n);
  gch_wg_wait(&wg);
  for (int i = 0; i < FOUR; i++)
    gch_unref(f.in[i]);
  gch_unref(f.out);
  free(seen);
}
END_TEST

/* fifo */

enum { TEN = 10 };

START_TEST(fifo_AsynchFifo) {
  gch_chan *c = ints(TEN);
  put_all(c, TEN);
  for (int i = 0; i < TEN; i++)
    ck_assert_int_eq(take(c), i);
  gch_unref(c);
}
END_TEST

struct link {
  gch_chan *c, *in, *out;
  int val;
};

static void chain(void *arg) {
  struct link *l = arg;
  take(l->in);
  require(take(l->c) == l->val);
  put(l->out, 1);
}

START_TEST(fifo_SynchFifo) {
  gch_wg wg = GCH_WG_INIT;
  struct link links[TEN];
  gch_chan *c = ints(0), *start = ints(0), *in = start;
  for (int i = 0; i < TEN; i++) {
    links[i] = (struct link){c, in, ints(0), i};
    in = links[i].out;
    go(&wg, chain, &links[i]);
  }
  put(start, 0);
  put_all(c, TEN);
  take(in);
  gch_wg_wait(&wg);
  for (int i = 0; i < TEN; i++)
    gch_unref(links[i].out);
  gch_unref(start);
  gch_unref(c);
}
END_TEST

/* goroutines: a daisy chain. Each link is a thread today. */

static void pass_left(void *arg) {
  struct link *l = arg;
  put(l->out, take(l->in));
}

START_TEST(goroutines_a_long_chain_passes_one_value) {
  gch_wg wg = GCH_WG_INIT;
  int n = scaled(500);
  struct link *links = calloc((size_t)n, sizeof *links);
  gch_chan *leftmost = ints(0), *left = leftmost;
  for (int i = 0; i < n; i++) {
    links[i] = (struct link){.in = ints(0), .out = left};
    left = links[i].in;
    go(&wg, pass_left, &links[i]);
  }
  put(left, 1);
  ck_assert_int_eq(take(leftmost), 1);
  gch_wg_wait(&wg);
  for (int i = 0; i < n; i++)
    gch_unref(links[i].in);
  gch_unref(leftmost);
  free(links);
}
END_TEST

/* nonblock, for elements of several types and capacities 0 and 1 */

struct text {
  char chars[16];
};

GCH_CHAN_TYPE(int32s, int32_t)
GCH_CHAN_TYPE(int64s, int64_t)
GCH_CHAN_TYPE(bools, bool)
GCH_CHAN_TYPE(texts, struct text)

#define NONBLOCK(type, T, SENT, TAKEN)                                         \
  static void type##_receiver_task(void *arg) {                                \
    T v, want = SENT;                                                          \
    require(type##_recv(*(type *)arg, &v) == 0);                               \
    require(memcmp(&v, &want, sizeof v) == 0);                                 \
  }                                                                            \
  static void type##_sender_task(void *arg) {                                  \
    require(type##_send(*(type *)arg, TAKEN) == 0);                            \
  }                                                                            \
  static void type##_nonblock(size_t cap) {                                    \
    gch_wg wg = GCH_WG_INIT;                                                   \
    type c = type##_make(cap);                                                 \
    T v, want = TAKEN;                                                         \
    memset(&v, 0, sizeof v);                                                   \
    require(type##_try_recv(c, &v) == EAGAIN);                                 \
    require(gch_select(type##_on_recv(c, &v), GCH_DEFAULT) == 1);              \
    require(cap > 0 || type##_try_send(c, want) == EAGAIN);                    \
    go(&wg, type##_receiver_task, &c);                                         \
    await_waiting(c.c, 0, 1);                                                  \
    require(type##_try_send(c, SENT) == 0);                                    \
    gch_wg_wait(&wg);                                                          \
    go(&wg, type##_sender_task, &c);                                           \
    if (cap == 0)                                                              \
      await_waiting(c.c, 1, 0);                                                \
    else                                                                       \
      gch_wg_wait(&wg);                                                        \
    require(type##_try_recv(c, &v) == 0);                                      \
    require(memcmp(&v, &want, sizeof v) == 0);                                 \
    gch_wg_wait(&wg);                                                          \
    type##_unref(c);                                                           \
  }                                                                            \
  START_TEST(nonblock_##type) {                                                \
    type##_nonblock(0);                                                        \
    type##_nonblock(1);                                                        \
  }                                                                            \
  END_TEST

NONBLOCK(int32s, int32_t, 123, 234)
NONBLOCK(int64s, int64_t, 123456, 234567)
NONBLOCK(bools, bool, true, true)
NONBLOCK(texts, struct text, ((struct text){"hello"}),
         ((struct text){"hello again"}))

/* perm: what may be done with a channel's ends is known when it compiles. */

#define IS(T, x) _Generic((x), T : 1, default : 0)

START_TEST(perm_one_may_send_and_the_other_receive) {
  int32_t v;
  int32s c = int32s_make(1);
  int32s_sender cs = int32s_to_sender(c);
  int32s_receiver cr = int32s_to_receiver(c);
  _Static_assert(!IS(int32s_sender, cr) && !IS(int32s, cr), "");
  _Static_assert(!IS(int32s_receiver, cs) && !IS(int32s, cs), "");
  _Static_assert(!IS(int64s, c), "");
  ck_assert_int_eq(int32s_sender_send(cs, 7), 0);
  ck_assert_int_eq(int32s_receiver_recv(cr, &v), 0);
  ck_assert_int_eq(v, 7);
  ck_assert_int_eq(gch_select(int32s_sender_on_send(cs, &v),
                              int32s_receiver_on_recv(cr, &v)),
                   0);
  ck_assert_int_eq(int32s_sender_close(cs), 0);
  ck_assert_int_eq(int32s_receiver_recv(cr, &v), 0);
  ck_assert_int_eq(int32s_receiver_recv(cr, &v), EPIPE);
  int32s_unref(c);
}
END_TEST

/* sendstmt: the channel of a send arm may itself be received. */

static gch_chan *take_chan(gch_chan *cc) {
  gch_chan *c = NULL;
  require(gch_recv(cc, &c) == 0);
  return c;
}

START_TEST(sendstmt_chanchan) {
  gch_chan *cc = gch_make_of(gch_chan *, 1), *c = ints(1);
  ck_assert_int_eq(gch_send(cc, &c), 0);
  ck_assert_int_eq(gch_select(GCH_SEND(take_chan(cc), &(int){2}), GCH_DEFAULT),
                   0);
  ck_assert_int_eq(take(c), 2);
  gch_unref(c);
  gch_unref(cc);
}
END_TEST

/* zerosize */

static void send_nothing(void *c) {
  require(gch_send(c, NULL) == 0);
}

START_TEST(zerosize_unbuffered) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = gch_make(0, 0);
  ck_assert_ptr_nonnull(c);
  go(&wg, send_nothing, c);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  gch_wg_wait(&wg);
  gch_unref(c);
}
END_TEST

START_TEST(zerosize_buffered) {
  gch_chan *c = gch_make(0, 1);
  ck_assert_ptr_nonnull(c);
  ck_assert_int_eq(gch_send(c, NULL), 0);
  ck_assert_int_eq(gch_try_send(c, NULL), EAGAIN);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/test_chan");
  TCase *t = test_case(s, "order");
  tcase_add_test(t, doubleselect_each_value_leaves_by_one_case_only);
  tcase_add_test(t, fifo_AsynchFifo);
  tcase_add_test(t, fifo_SynchFifo);
  tcase_add_test(t, goroutines_a_long_chain_passes_one_value);
  t = test_case(s, "types");
  tcase_add_test(t, nonblock_int32s);
  tcase_add_test(t, nonblock_int64s);
  tcase_add_test(t, nonblock_bools);
  tcase_add_test(t, nonblock_texts);
  tcase_add_test(t, perm_one_may_send_and_the_other_receive);
  tcase_add_test(t, sendstmt_chanchan);
  tcase_add_test(t, zerosize_unbuffered);
  tcase_add_test(t, zerosize_buffered);
  return s;
}
