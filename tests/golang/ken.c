/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/ken: chan.go (six topologies of senders, receivers and selects),
   chan1.go (many receivers), cplx5.go. */
#include "chan_checks.h"

#include <complex.h>
#include <stdatomic.h>

/* chan.go. Each channel carries the numbers from its first to its first plus
   75, in order; then both its ends are done with it. */

enum { NUMBERS = 76, ARMS = 4, MOST_CHANS = 12, FIRST = 100 };

struct line {
  gch_chan *c;
  int next_sent, next_received, last;
};

struct topology {
  struct line lines[MOST_CHANS];
  gch_wg wg;
  _Atomic int sends, receives;
};

/* What a task works on: one line, or up to four to receive from and four to
   send to. */
struct job {
  struct topology *t;
  struct line *in, *out; /* NULL: none */
  uint32_t random;
};

/* Often a turn for the others. */
static void dawdle(struct job *j) {
  if (test_random(&j->random) % 4 == 0)
    gch_yield();
}

/* Whether that was the last. */
static bool sent(struct topology *t, struct line *l) {
  t->sends++;
  return l->next_sent++ == l->last;
}

static bool received(struct topology *t, struct line *l, int v) {
  t->receives++;
  require(v == l->next_received);
  return l->next_received++ == l->last;
}

static void send_line(void *arg) {
  struct job *j = arg;
  do {
    dawdle(j);
    put(j->out->c, j->out->next_sent);
  } while (!sent(j->t, j->out));
}

static void receive_line(void *arg) {
  struct job *j = arg;
  int v;
  do {
    dawdle(j);
    v = take(j->in->c);
  } while (!received(j->t, j->in, v));
}

/* Four receive cases and four send cases, until each is done; who is done, or
   not there, has a nil channel. */
static void select_lines(void *arg) {
  struct job *j = arg;
  int v, left = (j->in ? ARMS : 0) + (j->out ? ARMS : 0);
  gch_case cases[2 * ARMS];
  for (int i = 0; i < ARMS; i++) {
    cases[i] = GCH_RECV(j->in ? j->in[i].c : NULL, &v);
    cases[ARMS + i] = j->out ? GCH_SEND(j->out[i].c, &j->out[i].next_sent)
                             : GCH_SEND(NULL, &v);
  }
  while (left > 0) {
    dawdle(j);
    int fired = gch_select_cases(cases, 2 * ARMS);
    if (fired < ARMS ? received(j->t, &j->in[fired], v)
                     : sent(j->t, &j->out[fired - ARMS])) {
      cases[fired] = GCH_RECV(NULL, NULL);
      left--;
    }
  }
}

static struct job *next_job(struct job jobs[], int *n, struct topology *t,
                            struct line *in, struct line *out) {
  struct job *j = &jobs[*n];
  *j = (struct job){t, in, out, (uint32_t)++ * n};
  return j;
}

static void run_lines(struct topology *t, struct job jobs[], int *n, int at,
                      bool sends) {
  for (int i = 0; i < ARMS; i++) {
    struct line *l = &t->lines[at + i];
    if (sends)
      go(&t->wg, send_line, next_job(jobs, n, t, NULL, l));
    else
      go(&t->wg, receive_line, next_job(jobs, n, t, l, NULL));
  }
}

static void run_select(struct topology *t, struct job jobs[], int *n, int in,
                       int out) {
  go(&t->wg, select_lines,
     next_job(jobs, n, t, in < 0 ? NULL : &t->lines[in],
              out < 0 ? NULL : &t->lines[out]));
}

enum { NO = -1, SENDS = true, RECEIVES = false };

static void test1(struct topology *t, struct job jobs[]) {
  int n = 0;
  run_lines(t, jobs, &n, 0, SENDS);
  run_lines(t, jobs, &n, 0, RECEIVES);
}

static void test2(struct topology *t, struct job jobs[]) {
  int n = 0;
  run_lines(t, jobs, &n, 0, SENDS);
  run_select(t, jobs, &n, 0, NO);
}

static void test3(struct topology *t, struct job jobs[]) {
  int n = 0;
  run_lines(t, jobs, &n, 0, RECEIVES);
  run_select(t, jobs, &n, NO, 0);
}

static void test4(struct topology *t, struct job jobs[]) {
  int n = 0;
  run_select(t, jobs, &n, NO, 0);
  run_select(t, jobs, &n, 0, NO);
}

static void test5(struct topology *t, struct job jobs[]) {
  int n = 0;
  run_select(t, jobs, &n, 4, 0);
  run_select(t, jobs, &n, 0, 4);
}

static void test6(struct topology *t, struct job jobs[]) {
  int n = 0;
  run_lines(t, jobs, &n, 4, SENDS);
  run_lines(t, jobs, &n, 8, RECEIVES);
  run_select(t, jobs, &n, 4, 0);
  run_select(t, jobs, &n, 0, 8);
}

static void with_cap(void (*start)(struct topology *t, struct job jobs[]),
                     int chans, size_t cap) {
  struct topology t = {.wg = GCH_WG_INIT};
  struct job jobs[MOST_CHANS];
  for (int i = 0; i < chans; i++) {
    int first = FIRST * (i + 1);
    t.lines[i] = (struct line){ints(cap), first, first, first + NUMBERS - 1};
  }
  start(&t, jobs);
  gch_wg_wait(&t.wg);
  require(t.sends == chans * NUMBERS && t.receives == chans * NUMBERS);
  for (int i = 0; i < chans; i++) {
    require(gch_len(t.lines[i].c) == 0 && nobody_waits(t.lines[i].c));
    gch_unref(t.lines[i].c);
  }
}

static const size_t caps[] = {0, 1, 10, 100};
enum { CAPS = sizeof caps / sizeof *caps };

START_TEST(chan_test1_direct_send_to_direct_receive) {
  with_cap(test1, 4, caps[_i]);
}
END_TEST

START_TEST(chan_test2_direct_send_to_select_receive) {
  with_cap(test2, 4, caps[_i]);
}
END_TEST

START_TEST(chan_test3_select_send_to_direct_receive) {
  with_cap(test3, 4, caps[_i]);
}
END_TEST

START_TEST(chan_test4_select_send_to_select_receive) {
  with_cap(test4, 4, caps[_i]);
}
END_TEST

START_TEST(chan_test5_two_selects_each_of_which_sends_and_receives) {
  with_cap(test5, 8, caps[_i]);
}
END_TEST

START_TEST(chan_test6_all_of_them) {
  with_cap(test6, 12, caps[_i]);
}
END_TEST

/* chan1.go */

enum { MESSAGES = 1000, RECEIVERS = 10, BUFFERED = 2 };

struct marks {
  gch_chan *c;
  _Atomic int h[MESSAGES]; /* 1: sent, 2: received */
};

static void mark_received(void *arg) {
  struct marks *m = arg;
  int r, err;
  for (;;) {
    require(gch_select(GCH_RECV_ERR(m->c, &r, &err)) == 0);
    if (err != 0)
      return;
    require(atomic_fetch_add(&m->h[r], 1) == 1);
  }
}

/* The mark that its sender made is seen with the message. */
START_TEST(chan1_each_message_reaches_one_receiver_once) {
  static struct marks m;
  gch_wg wg = GCH_WG_INIT;
  m.c = ints(BUFFERED);
  for (int i = 0; i < RECEIVERS; i++)
    go(&wg, mark_received, &m);
  for (int r = 0; r < MESSAGES; r++) {
    ck_assert_int_eq(
        atomic_fetch_add_explicit(&m.h[r], 1, memory_order_relaxed), 0);
    put(m.c, r);
  }
  ck_assert_int_eq(gch_close(m.c), 0);
  gch_wg_wait(&wg);
  for (int r = 0; r < MESSAGES; r++)
    require(m.h[r] == 2);
  gch_unref(m.c);
}
END_TEST

/* cplx5.go: an element of 16 bytes. */

static void send_complex(void *c) {
  require(gch_send(c, &(double complex){5 - 5 * I}) == 0);
}

START_TEST(cplx5_a_complex_number_passes) {
  gch_wg wg = GCH_WG_INIT;
  double complex v = 0;
  gch_chan *c = gch_make_of(double complex, 0);
  go(&wg, send_complex, c);
  ck_assert_int_eq(gch_recv(c, &v), 0);
  ck_assert(creal(v) == 5 && cimag(v) == -5);
  gch_wg_wait(&wg);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/ken");
  TCase *t = test_case(s, "chan");
  tcase_add_loop_test(t, chan_test1_direct_send_to_direct_receive, 0, CAPS);
  tcase_add_loop_test(t, chan_test2_direct_send_to_select_receive, 0, CAPS);
  tcase_add_loop_test(t, chan_test3_select_send_to_direct_receive, 0, CAPS);
  tcase_add_loop_test(t, chan_test4_select_send_to_select_receive, 0, CAPS);
  tcase_add_loop_test(
      t, chan_test5_two_selects_each_of_which_sends_and_receives, 0, CAPS);
  tcase_add_loop_test(t, chan_test6_all_of_them, 0, CAPS);
  t = test_case(s, "others");
  tcase_add_test(t, chan1_each_message_reaches_one_receiver_once);
  tcase_add_test(t, cplx5_a_complex_number_passes);
  return s;
}
