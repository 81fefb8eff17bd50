/* SPDX-License-Identifier: BSD-3-Clause */
/* Stopping an after_func or a timer_func, and waiting for a run of its function
   that has begun. */
#include "fork_life.h"
#include "tasks.h"

#include <stdatomic.h>
#include <stdlib.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* Both kinds of handle alike: made, set off at once, and stopped. A timer is
   freed after that. */
struct handle {
  bool is_timer;
  gch_ctx *ctx;
  gch_after_func *a;
  gch_timer *t;
};

static struct handle handle_make(bool is_timer, void (*fn)(void *), void *arg) {
  struct handle h = {.is_timer = is_timer};
  if (is_timer) {
    h.t = gch_timer_func(GCH_HOUR, fn, arg);
  } else {
    h.ctx = gch_ctx_with_cancel(bg());
    h.a = gch_ctx_after_func(h.ctx, fn, arg);
  }
  return h;
}

static void set_off(struct handle *h) {
  if (h->is_timer)
    gch_timer_reset(h->t, 0);
  else
    gch_ctx_cancel(h->ctx);
}

static bool stop_wait(struct handle *h) {
  return h->is_timer ? gch_timer_stop_wait(h->t)
                     : gch_after_func_stop_wait(h->a);
}

static void handle_end(struct handle *h) {
  gch_timer_free(h->t);
  gch_ctx_end(h->ctx);
}

/* What fn does, in plain memory. */
struct work {
  gch_chan *entered, *leave;
  int done;
  atomic_int leaving;
  int each[3]; /* where runs overlap */
};

static void work_make(struct work *w) {
  *w = (struct work){.entered = gch_make(0, 0), .leave = gch_make(0, 0)};
}

static void work_end(struct work *w) {
  gch_unref(w->entered);
  gch_unref(w->leave);
}

static void work(void *arg) {
  struct work *w = arg;
  gch_send(w->entered, NULL);
  gch_recv(w->leave, NULL);
  w->done++;
}

static void overlap(void *arg) {
  struct work *w = arg;
  gch_send(w->entered, NULL);
  gch_recv(w->leave, NULL);
  w->each[atomic_fetch_add(&w->leaving, 1)]++;
}

static void do_it(void *arg) {
  ((struct work *)arg)->done++;
}

struct stopper {
  struct handle *h;
  bool answer;
  atomic_int over;
};

static void stop_and_tell(void *arg) {
  struct stopper *s = arg;
  s->answer = stop_wait(s->h);
  atomic_store(&s->over, 1);
}

START_TEST(in_time_it_is_true_and_fn_does_not_run) {
  struct work w = {0};
  struct handle h = handle_make(_i, do_it, &w);
  ck_assert(stop_wait(&h));
  handle_end(&h);
  await_no_tasks();
  ck_assert_int_eq(w.done, 0);
}
END_TEST

static void let_others_run(void) {
  for (int i = 0; i < 5; i++)
    gch_yield();
}

START_TEST(it_waits_for_an_fn_that_has_begun) {
  struct work w;
  work_make(&w);
  struct handle h = handle_make(_i, work, &w);
  struct stopper s = {.h = &h, .answer = true};
  set_off(&h);
  gch_recv(w.entered, NULL);
  test_thread *t = thread_start(stop_and_tell, &s);
  let_others_run();
  ck_assert_int_eq(s.over, 0);
  gch_send(w.leave, NULL);
  thread_join(t);
  ck_assert(!s.answer);
  ck_assert_int_eq(w.done, 1);
  handle_end(&h);
  work_end(&w);
}
END_TEST

/* Whichever is first, what fn uses may go when it has returned. */
START_TEST(after_it_fn_does_not_run_and_will_not) {
  int rounds = scaled(300);
  for (int i = 0; i < rounds; i++) {
    struct work *w = calloc(1, sizeof *w);
    struct handle h = handle_make(_i, do_it, w);
    set_off(&h);
    bool stopped = stop_wait(&h);
    ck_assert_int_eq(w->done, !stopped);
    free(w);
    handle_end(&h);
  }
}
END_TEST

static void set_off_it(void *h) {
  set_off(h);
}

START_TEST(it_may_race_what_sets_fn_off) {
  int rounds = scaled(300);
  for (int i = 0; i < rounds; i++) {
    struct work *w = calloc(1, sizeof *w);
    struct handle h = handle_make(false, do_it, w);
    test_thread *t = thread_start(set_off_it, &h);
    bool stopped = stop_wait(&h);
    ck_assert_int_eq(w->done, !stopped);
    free(w);
    thread_join(t);
    handle_end(&h);
  }
}
END_TEST

static void count(void *runs) {
  atomic_fetch_add((atomic_int *)runs, 1);
}

START_TEST(fn_that_is_over_is_not_waited_for) {
  atomic_int runs = 0;
  struct handle h = handle_make(_i, count, &runs);
  set_off(&h);
  await_count(&runs, 1);
  await_no_tasks();
  ck_assert(!stop_wait(&h));
  ck_assert_int_eq(runs, 1);
  handle_end(&h);
}
END_TEST

static void stop_own(void *h) {
  stop_wait(h);
}

static void stop_inside(void *is_timer) {
  static struct handle h;
  h = handle_make(is_timer, stop_own, &h);
  set_off(&h);
  gch_sleep(GCH_HOUR);
}

START_TEST(inside_fn_it_panics) {
  expect_panic(stop_inside, _i ? &errno : NULL,
               "gulch: stop_wait inside the function that it waits for");
}
END_TEST

START_TEST(of_null_it_is_false) {
  ck_assert(!gch_after_func_stop_wait(NULL));
  ck_assert(!gch_timer_stop_wait(NULL));
}
END_TEST

START_TEST(on_a_context_that_is_never_done_it_is_true) {
  ck_assert(gch_after_func_stop_wait(gch_ctx_after_func(bg(), do_it, NULL)));
}
END_TEST

START_TEST(on_a_context_that_is_done_it_waits) {
  struct work w = {0};
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 0);
  ck_assert(!gch_after_func_stop_wait(gch_ctx_after_func(ctx, do_it, &w)));
  ck_assert_int_eq(w.done, 1);
  gch_ctx_end(ctx);
}
END_TEST

/* Timers */

START_TEST(of_a_timer_with_a_channel_it_is_a_stop) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  ck_assert(gch_timer_stop_wait(t));
  ck_assert(!gch_timer_stop_wait(t));
  gch_timer_reset(t, 0);
  gch_sleep(MS);
  ck_assert(gch_timer_stop_wait(t)); /* its value was not received */
  ck_assert_int_eq(gch_try_recv(gch_timer_chan(t), NULL), EAGAIN);
  gch_timer_free(t);
}
END_TEST

START_TEST(it_waits_for_all_runs) {
  struct work w;
  work_make(&w);
  struct handle h = handle_make(true, overlap, &w);
  struct stopper s = {.h = &h};
  for (int i = 0; i < 3; i++) {
    set_off(&h);
    gch_recv(w.entered, NULL);
  }
  test_thread *t = thread_start(stop_and_tell, &s);
  for (int i = 0; i < 3; i++) {
    let_others_run();
    ck_assert_int_eq(s.over, 0);
    gch_send(w.leave, NULL);
  }
  thread_join(t);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(w.each[i], 1);
  handle_end(&h);
  work_end(&w);
}
END_TEST

START_TEST(several_may_wait) {
  struct work w;
  work_make(&w);
  struct handle h = handle_make(true, work, &w);
  struct stopper s[3] = {{.h = &h}, {.h = &h}, {.h = &h}};
  test_thread *t[3];
  set_off(&h);
  gch_recv(w.entered, NULL);
  for (int i = 0; i < 3; i++)
    t[i] = thread_start(stop_and_tell, &s[i]);
  let_others_run();
  gch_send(w.leave, NULL);
  for (int i = 0; i < 3; i++)
    thread_join(t[i]);
  handle_end(&h);
  work_end(&w);
}
END_TEST

/* A timer whose function starts it again. */
struct again {
  gch_timer *t;
  gch_chan *begun; /* closed in the first run */
  int runs;
};

static void start_again(void *arg) {
  struct again *a = arg;
  if (a->runs++ == 0)
    gch_recv(a->begun, NULL);
  gch_timer_reset(a->t, 0);
}

START_TEST(a_timer_that_fn_starts_again_is_stopped_all_the_same) {
  int rounds = scaled(20);
  for (int i = 0; i < rounds; i++) {
    struct again a = {.begun = gch_make(0, 0)};
    a.t = gch_timer_func(GCH_HOUR, start_again, &a);
    gch_timer_reset(a.t, 0);
    gch_close(a.begun);
    if (i % 2)
      gch_sleep(MS);
    gch_timer_stop_wait(a.t);
    int runs = a.runs;
    gch_sleep(MS / 2);
    ck_assert_int_eq(a.runs, runs);
    ck_assert(!gch_timer_stop(a.t));
    gch_timer_free(a.t);
    gch_unref(a.begun);
  }
}
END_TEST

/* Its runs follow each other at once, and each takes longer than a wake. */
static void start_again_after_a_while(void *arg) {
  struct again *a = arg;
  if (a->runs++ == 0)
    gch_recv(a->begun, NULL);
  int64_t start = gch_now();
  while (gch_now() - start < 2 * MS)
    gch_yield();
  gch_timer_reset(a->t, 0);
}

START_TEST(a_timer_that_a_long_fn_starts_again_is_stopped_after_that_run) {
  struct again a = {.begun = gch_make(0, 0)};
  a.t = gch_timer_func(0, start_again_after_a_while, &a);
  gch_send(a.begun, NULL);
  ck_assert(gch_timer_stop_wait(a.t)); /* what was to come next */
  int runs = a.runs;
  gch_sleep(5 * MS);
  ck_assert_int_eq(a.runs, runs);
  gch_timer_reset(a.t, GCH_HOUR);
  ck_assert(gch_timer_stop(a.t));
  gch_timer_free(a.t);
  gch_unref(a.begun);
}
END_TEST

/* A run that went on in the parent only */

START_TEST(in_a_forked_child_there_is_nothing_to_wait_for) {
  struct work w;
  work_make(&w);
  struct handle h = handle_make(_i, work, &w);
  set_off(&h);
  gch_recv(w.entered, NULL);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(stop_wait(&h) ? 1 : OK);
  ck_assert_int_eq(status_of(pid), OK);
  gch_send(w.leave, NULL);
  stop_wait(&h);
  handle_end(&h);
  work_end(&w);
}
END_TEST

#define add_for_both(t, test) tcase_add_loop_test(t, test, 0, 2)

Suite *test_suite(void) {
  Suite *s = fork_suite("stop_wait");
  TCase *t = test_case(s, "both");
  add_for_both(t, in_time_it_is_true_and_fn_does_not_run);
  add_for_both(t, it_waits_for_an_fn_that_has_begun);
  add_for_both(t, after_it_fn_does_not_run_and_will_not);
  add_for_both(t, fn_that_is_over_is_not_waited_for);
  add_for_both(t, inside_fn_it_panics);
  tcase_add_test(t, of_null_it_is_false);
  t = test_case(s, "after_func");
  tcase_add_test(t, on_a_context_that_is_never_done_it_is_true);
  tcase_add_test(t, on_a_context_that_is_done_it_waits);
  tcase_add_test(t, it_may_race_what_sets_fn_off);
  t = test_case(s, "timer");
  tcase_add_test(t, of_a_timer_with_a_channel_it_is_a_stop);
  tcase_add_test(t, it_waits_for_all_runs);
  tcase_add_test(t, several_may_wait);
  tcase_add_test(t, a_timer_that_fn_starts_again_is_stopped_all_the_same);
  tcase_add_test(
      t, a_timer_that_a_long_fn_starts_again_is_stopped_after_that_run);
  t = fork_case(s, "fork");
  add_for_both(t, in_a_forked_child_there_is_nothing_to_wait_for);
  return s;
}
