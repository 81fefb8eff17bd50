/* SPDX-License-Identifier: BSD-3-Clause */
/* What a channel promises about memory (plain variables: ThreadSanitizer sees
   where the order is missing), signals, and waits without an end. */
#define _GNU_SOURCE
#include "chan_forms.h"
#include "fork_alone.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Publication */

static int published; /* plain, ordered by channels only */

static int publish_then_send(gch_chan *c, void *elem) {
  published++;
  return send_plain(c, elem);
}

static int publish_then_send_by_select(gch_chan *c, void *elem) {
  published++;
  return send_by_wide_select(c, elem);
}

static int publish_then_close(gch_chan *c, void *elem) {
  (void)elem;
  published++;
  return gch_close(c);
}

static const form publishers[] = {
    publish_then_send, publish_then_send_by_select, publish_then_close};
static const form observers[] = {recv_plain, recv_until_late, recv_in_ctx,
                                 recv_by_select, recv_by_wide_select};
enum {
  PUBLISHERS = sizeof publishers / sizeof *publishers,
  OBSERVERS = sizeof observers / sizeof *observers
};

static void observe_published(form publisher, form observer, size_t cap) {
  GCH_AUTO gch_chan *c = gch_make_of(int, cap);
  struct party p;
  int v, before = published;
  party_start_int(&p, publisher, c, 1);
  ck_assert_int_eq(observer(c, &v),
                   publisher == publish_then_close ? EPIPE : 0);
  ck_assert_int_eq(published, before + 1);
  ck_assert_int_eq(party_end(&p), 0);
}

START_TEST(all_before_a_send_or_close_is_visible_after_its_receive) {
  for (int i = 0; i < PUBLISHERS; i++)
    for (int j = 0; j < OBSERVERS; j++)
      for (int n = scaled(4); n > 0; n--)
        observe_published(publishers[i], observers[j], (size_t)n & 1);
}
END_TEST

START_TEST(all_before_a_close_is_visible_to_a_poll_that_sees_it) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p;
  int before = published;
  party_start_int(&p, publish_then_close, c, 1);
  while (gch_try_recv(c, NULL) != EPIPE)
    sched_yield();
  ck_assert_int_eq(published, before + 1);
  party_end(&p);
}
END_TEST

static int publish_then_recv(gch_chan *c, void *elem) {
  published++;
  return gch_recv(c, elem);
}

START_TEST(all_before_an_unbuffered_receive_is_visible_after_its_send) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int i = scaled(20); i > 0; i--) {
    struct party p;
    int v = i, before = published;
    party_start_int(&p, publish_then_recv, c, -1);
    ck_assert_int_eq(gch_send(c, &v), 0);
    ck_assert_int_eq(published, before + 1);
    party_end(&p);
  }
}
END_TEST

enum { LOCKERS = 4 };

static int count_under_semaphore(gch_chan *c, void *count) {
  for (int i = scaled(200); i > 0; i--) {
    gch_send(c, NULL);
    ++*(int *)count;
    gch_recv(c, NULL);
  }
  return 0;
}

/* The k-th receive is before the (k+C)-th send returns. */
START_TEST(a_channel_of_capacity_1_is_a_mutex) {
  GCH_AUTO gch_chan *c = gch_make(0, 1);
  struct party p[LOCKERS];
  int count = 0;
  for (int i = 0; i < LOCKERS; i++)
    party_start(&p[i], count_under_semaphore, c, &count);
  for (int i = 0; i < LOCKERS; i++)
    party_end(&p[i]);
  ck_assert_int_eq(count, LOCKERS * scaled(200));
}
END_TEST

/* Exactly once */

enum { CREW = 4, EACH = 250, VALUES = CREW * EACH };

struct crew {
  gch_chan *c;
  _Atomic int next, seen[VALUES];
};

static void send_each(void *arg) {
  struct crew *w = arg;
  int v;
  while ((v = atomic_fetch_add(&w->next, 1)) < VALUES)
    if (sends[v % BLOCKING_FORMS](w->c, &v) != 0)
      abort();
}

static void recv_each(void *arg) {
  struct crew *w = arg;
  int v = 0, n = 0;
  while (recvs[n++ % BLOCKING_FORMS](w->c, &v) == 0)
    atomic_fetch_add(&w->seen[v], 1);
}

START_TEST(each_value_arrives_exactly_once) {
  static struct crew w;
  test_thread *senders[CREW], *receivers[CREW];
  w.c = gch_make_of(int, (size_t)_i);
  for (int i = 0; i < CREW; i++) {
    senders[i] = thread_start(send_each, &w);
    receivers[i] = thread_start(recv_each, &w);
  }
  for (int i = 0; i < CREW; i++)
    thread_join(senders[i]);
  gch_close(w.c);
  for (int i = 0; i < CREW; i++)
    thread_join(receivers[i]);
  for (int i = 0; i < VALUES; i++)
    if (w.seen[i] != 1)
      ck_abort_msg("value %d arrived %d times", i, w.seen[i]);
  gch_unref(w.c);
}
END_TEST

/* Signals */

static _Atomic int interruptions;

static void interrupted(int sig) {
  (void)sig;
  atomic_fetch_add(&interruptions, 1);
}

/* Signals end every system call of the thread that they hit. */
static void let_signals_interrupt(void) {
  struct sigaction a = {.sa_handler = interrupted};
  ck_assert_int_eq(sigaction(SIGUSR1, &a, NULL), 0);
}

struct pelted {
  form fn;
  gch_chan *c;
  int value, err;
  pthread_t id;
};

static void *pelted_main(void *arg) {
  struct pelted *p = arg;
  p->err = p->fn(p->c, &p->value);
  return NULL;
}

/* Sends a signal again and again until one more has been handled:
   ThreadSanitizer may hold one back until the next. */
static void interrupt(pthread_t id) {
  const struct timespec pause = {0, 20000};
  int before = atomic_load(&interruptions);
  do {
    ck_assert_int_eq(pthread_kill(id, SIGUSR1), 0);
    nanosleep(&pause, NULL);
  } while (atomic_load(&interruptions) == before);
}

static void pelt(pthread_t id, int times) {
  while (times-- > 0)
    interrupt(id);
}

START_TEST(a_storm_of_signals_does_not_end_a_receive) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct pelted p = {.fn = recvs[_i], .c = c, .value = -1};
  let_signals_interrupt();
  ck_assert_int_eq(pthread_create(&p.id, NULL, pelted_main, &p), 0);
  await_waiting(c, 0, 1);
  pelt(p.id, scaled(20));
  await_waiting(c, 0, 1);
  put_int(c, 7);
  ck_assert_int_eq(pthread_join(p.id, NULL), 0);
  ck_assert_int_eq(p.err, 0);
  ck_assert_int_eq(p.value, 7);
}
END_TEST

START_TEST(a_storm_of_signals_does_not_end_a_send) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct pelted p = {.fn = sends[_i], .c = c, .value = 7};
  let_signals_interrupt();
  ck_assert_int_eq(pthread_create(&p.id, NULL, pelted_main, &p), 0);
  await_waiting(c, 1, 0);
  pelt(p.id, scaled(20));
  await_waiting(c, 1, 0);
  ck_assert_int_eq(take_int(c), 7);
  ck_assert_int_eq(pthread_join(p.id, NULL), 0);
  ck_assert_int_eq(p.err, 0);
}
END_TEST

/* Pelts the thread that arg points to until told. */
static _Atomic int storm_over;

static void storm(void *id) {
  while (!atomic_load(&storm_over))
    interrupt(*(pthread_t *)id);
}

START_TEST(a_storm_of_signals_does_not_move_a_deadline) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  pthread_t self = pthread_self();
  let_signals_interrupt();
  atomic_store(&storm_over, 0);
  test_thread *t = thread_start(storm, &self);
  await_count(&interruptions, 1);
  int v = 7;
  int64_t deadline = gch_now() + 2 * GCH_MILLISECOND;
  ck_assert_int_eq(gch_recv_until(c, &v, deadline), ETIMEDOUT);
  ck_assert(gch_now() >= deadline);
  deadline = gch_now() + 2 * GCH_MILLISECOND;
  ck_assert_int_eq(gch_send_until(NULL, &v, deadline), ETIMEDOUT);
  ck_assert(gch_now() >= deadline);
  deadline = gch_now() + 2 * GCH_MILLISECOND;
  ck_assert_int_eq(gch_select(GCH_RECV(c, &v), GCH_UNTIL(deadline)), 1);
  ck_assert(gch_now() >= deadline);
  atomic_store(&storm_over, 1);
  thread_join(t);
}
END_TEST

/* For ever: the alarm ends the child, and nothing else does. */

static void block_for_ever(int which) {
  static int v;
  switch (which) {
  case 0:
    gch_send(NULL, &v);
    break;
  case 1:
    gch_recv(NULL, &v);
    break;
  case 2:
    gch_send_until(NULL, &v, GCH_FOREVER);
    break;
  case 3:
    gch_recv_until(NULL, &v, GCH_FOREVER);
    break;
  case 4:
    gch_send_ctx(gch_ctx_background(), NULL, &v);
    break;
  case 5:
    gch_recv_ctx(gch_ctx_background(), NULL, &v);
    break;
  case 6:
    gch_send(NULL, NULL);
    break;
  case 7:
    gch_recv(NULL, NULL);
    break;
  case 8:
    gch_recv_until(gch_make_of(int, 0), &v, GCH_FOREVER);
    break;
  case 9:
    gch_recv_many(NULL, &v, 1, NULL);
    break;
  case 10:
    gch_send_many(NULL, &v, 1, NULL);
    break;
  }
}
enum { FOR_EVER = 11 };

START_TEST(it_blocks_for_ever) {
  const struct itimerval soon = {.it_value = {0, 10000}};
  int status;
  pid_t pid = fork_alone();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    signal(SIGALRM, SIG_DFL);
    setitimer(ITIMER_REAL, &soon, NULL);
    block_for_ever(_i);
    _exit(0);
  }
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM,
                "it ended: status %#x", (unsigned)status);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_memory");
  TCase *t = test_case(s, "memory model");
  tcase_add_test(t, all_before_a_send_or_close_is_visible_after_its_receive);
  tcase_add_test(t, all_before_a_close_is_visible_to_a_poll_that_sees_it);
  tcase_add_test(t, all_before_an_unbuffered_receive_is_visible_after_its_send);
  tcase_add_test(t, a_channel_of_capacity_1_is_a_mutex);
  tcase_add_loop_test(t, each_value_arrives_exactly_once, 0, 3);
  t = test_case(s, "signals");
  add_test_of_blocking(t, a_storm_of_signals_does_not_end_a_receive);
  add_test_of_blocking(t, a_storm_of_signals_does_not_end_a_send);
  tcase_add_test(t, a_storm_of_signals_does_not_move_a_deadline);
  t = fork_case(s, "for ever");
  tcase_add_loop_test(t, it_blocks_for_ever, 0, FOR_EVER);
  return s;
}
