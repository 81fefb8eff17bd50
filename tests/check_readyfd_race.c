/* SPDX-License-Identifier: BSD-3-Clause */
/* readyfds against all that goes on at once: no edge is lost, whoever sends,
   receives, closes, joins or leaves meanwhile; and over a fork, and by a pipe
   where there is no eventfd. */
#include "fork_life.h"
#include "readyfd_facts.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { R = GCH_CAN_RECV, S = GCH_CAN_SEND };

/* Takes the place of the C library's. */
static atomic_bool no_eventfd;

int eventfd(unsigned int count, int flags) {
  if (atomic_load(&no_eventfd)) {
    errno = ENOSYS;
    return -1;
  }
  return (int)syscall(SYS_eventfd2, count, flags);
}

/* Loops */

struct flow {
  gch_chan *c;
  int n; /* a producer */
  atomic_int got;
  bool tries;
};

static void produce(void *arg) {
  struct flow *f = arg;
  for (int i = 0; i < f->n; i++) {
    if (!f->tries) {
      ck_assert_int_eq(gch_send(f->c, &i), 0);
      continue;
    }
    gch_readyfd *r = readyfd_of(f->c, S);
    while (gch_try_send(f->c, &i) != 0)
      await_readable(r);
    gch_readyfd_free(r);
  }
}

/* Takes by try only, as a loop does, until the channel is closed. */
static void loop(void *arg) {
  struct flow *f = arg;
  gch_readyfd *r = readyfd_of(f->c, R);
  int err = 0, v;
  while (err != EPIPE) {
    await_readable(r);
    while ((err = gch_try_recv(f->c, &v)) == 0)
      atomic_fetch_add(&f->got, 1);
  }
  gch_readyfd_free(r);
}

/* Waits until it has all. */
static void storm(size_t cap, int producers, int loops, bool tries) {
  enum { MOST = 4 };
  struct flow f = {gch_make_of(int, cap), scaled(1000), 0, tries};
  test_thread *p[MOST], *l[MOST];
  for (int i = 0; i < loops; i++)
    l[i] = thread_start(loop, &f);
  for (int i = 0; i < producers; i++)
    p[i] = thread_start(produce, &f);
  for (int i = 0; i < producers; i++)
    thread_join(p[i]);
  gch_close(f.c);
  for (int i = 0; i < loops; i++)
    thread_join(l[i]);
  ck_assert_int_eq(atomic_load(&f.got), producers * f.n);
  gch_unref(f.c);
}

static const size_t caps[] = {0, 1, 3, 64};

START_TEST(a_loop_sees_every_value) {
  storm(caps[_i], 2, 1, false);
}
END_TEST

START_TEST(two_loops_share_a_channel) {
  storm(caps[_i], 2, 2, false);
}
END_TEST

/* Not without a buffer: two who only try never meet. */
START_TEST(two_loops_meet_over_a_buffer) {
  storm(caps[_i], 2, 2, true);
}
END_TEST

static void recv_all(void *arg) {
  struct flow *f = arg;
  while (gch_recv(f->c, NULL) == 0)
    atomic_fetch_add(&f->got, 1);
}

START_TEST(a_loop_that_sends_sees_each_receiver) {
  struct flow f = {gch_make_of(int, caps[_i]), scaled(1000), 0, true};
  test_thread *t = thread_start(recv_all, &f);
  produce(&f);
  gch_close(f.c);
  thread_join(t);
  ck_assert_int_eq(atomic_load(&f.got), f.n);
  gch_unref(f.c);
}
END_TEST

/* Joining and leaving */

struct meddling {
  gch_chan *c;
  atomic_bool over;
};

static void meddle(void *arg) {
  struct meddling *m = arg;
  gch_readyfd *r = gch_readyfd_new();
  for (int i = 0; !atomic_load(&m->over); i++) {
    gch_readyfd_add(r, m->c, i % 3 + 1, NULL);
    gch_readyfd_ready(r, NULL, 0);
    if (i % 4 == 0)
      gch_readyfd_remove(r, m->c);
    if (i % 8 == 7) {
      gch_readyfd_free(r);
      r = gch_readyfd_new();
    }
  }
  gch_readyfd_free(r);
}

START_TEST(others_join_and_leave_meanwhile) {
  struct meddling m = {gch_make_of(int, caps[_i]), false};
  struct flow f = {m.c, scaled(2000), 0, false};
  test_thread *a = thread_start_as(false, meddle, &m);
  test_thread *b = thread_start_as(false, meddle, &m);
  test_thread *l = thread_start_as(false, loop, &f);
  test_thread *p = thread_start(produce, &f);
  produce(&f);
  thread_join(p);
  gch_close(m.c);
  thread_join(l);
  atomic_store(&m.over, true);
  thread_join(a);
  thread_join(b);
  ck_assert_int_eq(atomic_load(&f.got), 2 * f.n);
  gch_unref(m.c);
}
END_TEST

static void close_it(void *c) {
  gch_close(c);
}

START_TEST(a_close_is_told_however_it_meets_the_rest) {
  for (int i = 0; i < scaled(500); i++) {
    gch_chan *c = gch_make_of(int, 1);
    gch_readyfd *r = gch_readyfd_new();
    int v = 1;
    test_thread *t = thread_start(close_it, c);
    gch_readyfd_add(r, c, R, NULL);
    gch_try_recv(c, &v);
    await_readable(r);
    if (i % 2)
      thread_join(t);
    gch_readyfd_free(r);
    if (i % 2 == 0)
      thread_join(t);
    gch_unref(c);
  }
}
END_TEST

static void tick(void *arg) {
  struct meddling *m = arg;
  while (!atomic_load(&m->over))
    gch_try_recv(m->c, NULL);
}

START_TEST(a_ticker_is_told_beside_others_who_take_ticks) {
  gch_ticker *t = gch_ticker_new(200 * GCH_MICROSECOND);
  struct meddling m = {gch_ticker_chan(t), false};
  gch_readyfd *r = readyfd_of(m.c, R);
  test_thread *a = thread_start_as(false, tick, &m);
  for (int i = 0; i < scaled(200); i++) {
    await_readable(r);
    gch_try_recv(m.c, NULL);
  }
  atomic_store(&m.over, true);
  thread_join(a);
  gch_readyfd_free(r);
  gch_ticker_free(t);
}
END_TEST

START_TEST(signals_are_told_of) {
  gch_chan *c = gch_make_of(int, 1);
  gch_readyfd *r = readyfd_of(c, R);
  gch_signal_notify(c, (int[]){SIGUSR1}, 1);
  for (int i = 0; i < 3; i++) {
    raise(SIGUSR1);
    await_readable(r);
    ck_assert_int_eq(gch_try_recv(c, NULL), 0);
    ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  }
  gch_signal_stop(c);
  gch_readyfd_free(r);
  gch_unref(c);
}
END_TEST

/* Fork */

static int use_in_child(gch_readyfd *r, gch_chan *full, gch_chan *empty,
                        gch_chan *closed) {
  int v;
  void *tags[3];
  require(readable(r));
  require(gch_readyfd_ready(r, tags, 3) == 1 && tags[0] == closed);
  require(gch_readyfd_remove(r, closed) == 0);
  require(!readable(r));
  require(gch_recv(full, &v) == 0);
  require(readable(r));
  require(gch_send(full, &v) == 0);
  require(gch_try_send(full, &v) == EAGAIN);
  require(!readable(r));
  require(gch_send(empty, &v) == 0);
  require(readable(r));
  gch_readyfd_free(r);
  return OK;
}

START_TEST(parent_and_child_have_one_each) {
  atomic_store(&no_eventfd, _i);
  gch_chan *full = gch_make_of(int, 1), *empty = gch_make_of(int, 1),
           *closed = gch_make_of(int, 1);
  gch_readyfd *r = gch_readyfd_new();
  int v = 3;
  gch_send(full, &v);
  gch_close(closed);
  gch_readyfd_add(r, full, S, full);
  gch_readyfd_add(r, empty, R, empty);
  gch_readyfd_add(r, closed, R, closed);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(use_in_child(r, full, empty, closed));
  ck_assert_int_eq(status_of(pid), OK);
  ck_assert(readable(r)); /* the child's is another */
  gch_readyfd_remove(r, closed);
  ck_assert(!readable(r));
  gch_recv(full, &v);
  ck_assert(readable(r));
  gch_readyfd_free(r);
  gch_unref(full);
  gch_unref(empty);
  gch_unref(closed);
}
END_TEST

static void toggle(void *arg) {
  struct meddling *m = arg;
  int v = 1;
  while (!atomic_load(&m->over)) {
    gch_try_send(m->c, &v);
    gch_try_recv(m->c, &v);
    gch_try_recv(m->c, &v);
  }
}

/* All values are gone, or one is left. */
static int still_told(gch_readyfd *r, gch_chan *c) {
  int v = 1;
  while (gch_try_recv(c, &v) == 0)
    ;
  require(!readable(r));
  require(gch_send(c, &v) == 0);
  require(readable(r));
  return OK;
}

START_TEST(a_fork_in_the_middle_of_it_leaves_a_whole_one) {
  struct meddling m = {gch_make_of(int, 1), false};
  gch_readyfd *r = readyfd_of(m.c, R);
  gch_readyfd *s = readyfd_of(m.c, S);
  test_thread *a = thread_start_as(false, toggle, &m);
  test_thread *b = thread_start_as(false, meddle, &m);
  for (int i = 0; i < scaled(100); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(still_told(r, m.c));
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&m.over, true);
  thread_join(a);
  thread_join(b);
  gch_readyfd_free(r);
  gch_readyfd_free(s);
  gch_unref(m.c);
}
END_TEST

START_TEST(a_pipe_does_as_well) {
  atomic_store(&no_eventfd, true);
  gch_readyfd *r = gch_readyfd_new();
  uint64_t one = 1;
  ck_assert_int_eq(write(gch_readyfd_fd(r), &one, sizeof one), -1);
  gch_readyfd_free(r);
  storm(caps[_i], 2, 1, false);
}
END_TEST

Suite *test_suite(void) {
  int n = sizeof caps / sizeof *caps;
  Suite *s = suite_create("readyfd, races");
  TCase *t = test_case(s, "loops");
  tcase_add_loop_test(t, a_loop_sees_every_value, 0, n);
  tcase_add_loop_test(t, two_loops_share_a_channel, 0, n);
  tcase_add_loop_test(t, two_loops_meet_over_a_buffer, 1, n);
  tcase_add_loop_test(t, a_loop_that_sends_sees_each_receiver, 0, n);
  tcase_add_loop_test(t, a_pipe_does_as_well, 0, n);
  t = test_case(s, "meddling");
  tcase_add_loop_test(t, others_join_and_leave_meanwhile, 0, n);
  tcase_add_test(t, a_close_is_told_however_it_meets_the_rest);
  tcase_add_test(t, a_ticker_is_told_beside_others_who_take_ticks);
  tcase_add_test(t, signals_are_told_of);
  t = test_case(s, "fork");
  tcase_add_loop_test(t, parent_and_child_have_one_each, 0, 2);
  if (!SANITIZED)
    tcase_add_test(t, a_fork_in_the_middle_of_it_leaves_a_whole_one);
  return s;
}
