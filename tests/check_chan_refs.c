/* SPDX-License-Identifier: BSD-3-Clause */
/* References gone wrong, and what is said of it. */
#define TEST_AS_IS
#include "chan_forms.h"
#include "own_ctx.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FREED "gulch: unref of a channel that was freed"
#define BORROWED "gulch: unref of a borrowed channel"

/* One too many */

static void unref_twice(void *cap) {
  gch_chan *c = gch_make_of(int, (size_t) * (int *)cap);
  gch_unref(c);
  gch_unref(c);
}

static void unref_thrice(void *cap) {
  gch_chan *c = gch_ref(gch_make_of(int, (size_t) * (int *)cap));
  gch_unref(c);
  unref_twice(cap);
}

START_TEST(a_second_unref_panics) {
  if (SANITIZED) /* which has its own words */
    return;
  expect_panic(unref_twice, &_i, FREED);
  expect_panic(unref_thrice, &_i, FREED);
}
END_TEST

static void make_some(void) {
  for (int i = 0; i < 100; i++)
    gch_unref(gch_make_of(int, 1));
}

static void unref_later(void *arg) {
  (void)arg;
  gch_chan *c = gch_make_of(int, 1);
  gch_unref(c);
  make_some();
  gch_unref(c);
}

static void ref_later(void *arg) {
  (void)arg;
  gch_chan *c = gch_make_of(int, 1);
  gch_unref(c);
  make_some();
  gch_ref(c);
}

START_TEST(in_strict_mode_also_where_others_were_made_since) {
  expect_panic_strict(unref_later, NULL, FREED);
  expect_panic_strict(ref_later, NULL,
                      "gulch: reference to a channel that was freed");
}
END_TEST

START_TEST(strict_mode_frees_in_the_end) {
  gch_set_strict(true);
  for (int i = 0; i < 2000; i++)
    gch_unref(gch_make(1, 60000)); /* LeakSanitizer would tell, and memory */
  gch_unref(gch_make(1, 100000));
}
END_TEST

/* Borrowed */

static void unref_one_more(void *arg) {
  (void)arg;
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  gch_unref(done);
  gch_unref(done);
}

static void unref_what_another_holds(void *arg) {
  (void)arg;
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_chan *held = gch_ref(gch_timer_chan(t));
  gch_unref(gch_timer_chan(t));
  gch_unref(held);
}

START_TEST(an_unref_of_what_was_borrowed_panics) {
  expect_panic(unref_one_more, NULL, BORROWED);
  expect_panic(unref_what_another_holds, NULL, BORROWED);
}
END_TEST

/* Parked */

static void recv_one(void *c) {
  gch_recv(c, NULL);
}

static void send_one(void *c) {
  gch_send(c, "");
}

static void select_recv(void *c) {
  gch_select(GCH_RECV(c, NULL), GCH_RECV(NULL, NULL));
}

static void select_send(void *c) {
  gch_select(GCH_SEND(c, ""));
}

/* A context of the program's own is done when c is closed. */
static void lock_until_closed(void *c) {
  static gch_mutex m = GCH_MUTEX_INIT;
  static const gch_ctx_ops ops = {.done = own_done, .err = own_err};
  struct own own = {c, 0, 0};
  gch_mutex_lock(&m);
  gch_mutex_lock_ctx(gch_ctx_custom(gch_ctx_background(), &ops, &own), &m);
}

struct parked {
  void (*fn)(void *c);
  const char *chan, *task; /* names; task NULL: a thread */
  size_t senders, receivers;
};

static gch_chan *parked_on(const struct parked *p) {
  gch_chan *c = gch_make(1, 0);
  gch_go_opts opts = {.name = p->task};
  gch_set_name(c, p->chan);
  if (p->task)
    form_require(gch_go_with(&opts, p->fn, c) == 0);
  else
    thread_start(p->fn, c);
  await_waiting(c, p->senders, p->receivers);
  return c;
}

static void unref_under(void *p) {
  gch_unref(parked_on(p));
}

static void unref_under_three(void *p) {
  gch_chan *c = parked_on(p);
  thread_start(recv_one, c);
  await_waiting(c, 0, 2);
  form_require(gch_go(recv_one, c) == 0);
  await_waiting(c, 0, 3);
  gch_unref(c);
}

#define LAST "gulch: last unref of "

START_TEST(freeing_what_somebody_is_parked_on_says_who_and_in_what) {
  struct parked p = {recv_one, "jobs", "worker", 0, 1};
  expect_panic(unref_under, &p,
               LAST "channel \"jobs\" on which task \"worker\" is parked in a "
                    "receive");
  p.fn = select_recv;
  expect_panic(unref_under, &p,
               LAST "channel \"jobs\" on which task \"worker\" is parked in a "
                    "receive of a select");
  p = (struct parked){send_one, "jobs", "worker", 1, 0};
  expect_panic(unref_under, &p,
               LAST "channel \"jobs\" on which task \"worker\" is parked in a "
                    "send");
  p.fn = select_send;
  expect_panic(unref_under, &p,
               LAST "channel \"jobs\" on which task \"worker\" is parked in a "
                    "send of a select");
  p = (struct parked){lock_until_closed, "jobs", "worker", 0, 1};
  expect_panic(unref_under, &p,
               LAST "channel \"jobs\" on which task \"worker\" is parked in a "
                    "wait that a context ends");
}
END_TEST

START_TEST(freeing_what_many_are_parked_on_says_how_many) {
  struct parked p = {recv_one, "jobs", "worker", 0, 1};
  expect_panic(unref_under_three, &p,
               LAST "channel \"jobs\" on which task \"worker\" is parked in a "
                    "receive: 2 tasks and 1 thread are parked there");
}
END_TEST

static const char *caught;

static void catch_words(const char *words) {
  const char *from = strstr(words, caught);
  _exit(from && strstr(from, " is parked in a receive") ? 0 : 1);
}

static void unref_with_hook(void *p) {
  gch_set_panic_hook(catch_words);
  unref_under(p);
}

static void expect_words(struct parked *p, const char *words) {
  int status;
  caught = words;
  pid_t pid = fork_alone();
  if (pid == 0)
    unref_with_hook(p);
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  ck_assert_int_eq(status, 0);
}

START_TEST(who_has_no_name_has_a_number) {
  struct parked p = {recv_one, "jobs", "", 0, 1};
  expect_words(&p, "channel \"jobs\" on which task 0x");
  p.task = NULL;
  expect_words(&p, "channel \"jobs\" on which thread ");
  p.chan = NULL;
  expect_words(&p, "last unref of channel 0x");
}
END_TEST

static void free_timer_under(void *arg) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_go_opts opts = {.name = "borrower"};
  (void)arg;
  form_require(gch_go_with(&opts, recv_one, gch_timer_chan(t)) == 0);
  await_waiting(gch_timer_chan(t), 0, 1);
  gch_timer_free(t);
}

START_TEST(a_timer_freed_under_who_borrows_its_channel_says_so) {
  expect_panic(free_timer_under, NULL,
               LAST "the channel of a timer on which task \"borrower\" is "
                    "parked in a receive");
}
END_TEST

/* Used when it is gone, in strict mode */

struct use {
  form fn;
  gch_chan *(*gone)(void);
};

static gch_chan *a_plain_one(void) {
  gch_chan *c = gch_make_of(int64_t, 4);
  int64_t v = 1;
  gch_set_name(c, "jobs");
  gch_send(c, &v);
  gch_unref(c);
  return c;
}

static gch_chan *a_done_one(void) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *c = gch_ctx_done(ctx);
  gch_ctx_end(ctx);
  return c;
}

static gch_chan *a_timers(void) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_chan *c = gch_timer_chan(t);
  gch_timer_free(t);
  return c;
}

static void use_it(void *arg) {
  struct use *u = arg;
  int64_t v[2] = {1, 2};
  gch_chan *c = u->gone();
  make_some();
  u->fn(c, v);
}

static int use_in_task(void *arg) {
  use_it(arg);
  return 0;
}

static void use_it_in_task(void *arg) {
  gch_run(use_in_task, arg);
}

static void expect_use(form fn, gch_chan *(*gone)(void), const char *what) {
  struct use u = {fn, gone};
  char words[200];
  snprintf(words, sizeof words, "gulch: %s was used after its last unref",
           what);
  expect_panic_strict(use_it, &u, words);
  expect_panic_strict(use_it_in_task, &u, words);
}

START_TEST(a_receive_from_what_is_gone_panics_in_strict_mode) {
  expect_use(recvs[_i], a_plain_one, "channel \"jobs\"");
  expect_use(recvs[_i], a_done_one, "the done channel of a context");
  expect_use(recvs[_i], a_timers, "the channel of a timer");
}
END_TEST

START_TEST(a_send_to_what_is_gone_panics_in_strict_mode) {
  expect_use(sends[_i], a_plain_one, "channel \"jobs\"");
}
END_TEST

static int recv_two(gch_chan *c, void *elems) {
  return gch_recv_many(c, elems, 2, NULL);
}

static int send_two(gch_chan *c, void *elems) {
  return gch_send_many(c, elems, 2, NULL);
}

static int close_it(gch_chan *c, void *elem) {
  (void)elem;
  return gch_close(c);
}

START_TEST(so_do_the_other_calls) {
  expect_use(recv_two, a_plain_one, "channel \"jobs\"");
  expect_use(recv_two, a_done_one, "the done channel of a context");
  expect_use(send_two, a_plain_one, "channel \"jobs\"");
  expect_use(close_it, a_plain_one, "channel \"jobs\"");
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_refs");
  TCase *t = test_case(s, "one too many");
  tcase_add_loop_test(t, a_second_unref_panics, 0, 20);
  tcase_add_test(t, in_strict_mode_also_where_others_were_made_since);
  tcase_add_test(t, strict_mode_frees_in_the_end);
  tcase_add_test(t, an_unref_of_what_was_borrowed_panics);
  t = test_case(s, "parked");
  tcase_add_test(t, freeing_what_somebody_is_parked_on_says_who_and_in_what);
  tcase_add_test(t, freeing_what_many_are_parked_on_says_how_many);
  tcase_add_test(t, who_has_no_name_has_a_number);
  tcase_add_test(t, a_timer_freed_under_who_borrows_its_channel_says_so);
  t = test_case(s, "gone");
  add_test_of_all(t, a_receive_from_what_is_gone_panics_in_strict_mode);
  add_test_of_all(t, a_send_to_what_is_gone_panics_in_strict_mode);
  tcase_add_test(t, so_do_the_other_calls);
  return s;
}
