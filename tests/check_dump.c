/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_dump: what it shows of a channel and of who is parked on it. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "dump_text.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS GCH_MILLISECOND

/* Just what a dump says of c, after its address. */
static void expect_said(const gch_chan *c, const char *expected) {
  char head[64], *text = dump(), *said = said_of(text, c);
  snprintf(head, sizeof head, "channel %p", (const void *)c);
  ck_assert_ptr_nonnull(said);
  ck_assert_str_eq(said + strlen(head), expected);
  free(said);
  free(text);
}

/* Channels */

START_TEST(a_channel_is_a_line_with_name_size_len_and_cap) {
  GCH_AUTO gch_chan *c = gch_make(24, 16);
  char v[24] = "";
  gch_set_name(c, "jobs");
  gch_send(c, v);
  gch_send(c, v);
  expect_said(c, " \"jobs\": 24 bytes, 2/16, open\n");
}
END_TEST

START_TEST(a_channel_without_a_name_shows_none) {
  GCH_AUTO gch_chan *c = gch_make(0, 0);
  expect_said(c, ": 0 bytes, 0/0, open\n");
}
END_TEST

START_TEST(a_name_stays_on_its_line) {
  GCH_AUTO gch_chan *c = gch_make(0, 0);
  gch_set_name(c, "a\nb\"\x7f");
  expect_said(c, " \"a?b??\": 0 bytes, 0/0, open\n");
}
END_TEST

START_TEST(a_closed_channel_is_closed) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  gch_close(c);
  expect_said(c, ": 4 bytes, 0/1, closed\n");
}
END_TEST

START_TEST(a_done_channel_is_of_a_context) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  expect_said(gch_ctx_done(ctx), ": 0 bytes, 0/0, open, of a context\n");
  gch_ctx_cancel(ctx);
  expect_said(gch_ctx_done(ctx), ": 0 bytes, 0/0, closed, of a context\n");
}
END_TEST

START_TEST(a_timers_channel_is_of_a_timer) {
  GCH_AUTO gch_chan *after = gch_after(GCH_HOUR);
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  expect_said(after, ": 8 bytes, 0/0, open, of a timer\n");
  expect_said(gch_ticker_chan(t), ": 8 bytes, 0/0, open, of a timer\n");
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_freed_channel_is_gone) {
  gch_chan *c = gch_make(0, 0);
  ck_assert(is_shown(c));
  gch_unref(c);
  ck_assert(!is_shown(c));
}
END_TEST

START_TEST(a_channel_that_somebody_holds_is_shown) {
  gch_chan *c = gch_ref(gch_make(0, 0));
  gch_unref(c);
  ck_assert(is_shown(c));
  gch_unref(c);
}
END_TEST

START_TEST(each_of_many_channels_is_shown_once) {
  enum { MANY = 1000 };
  static gch_chan *chans[MANY];
  for (int i = 0; i < MANY; i++)
    chans[i] = gch_make(0, 0);
  char *text = dump();
  int lines = 0;
  for (const char *at = text; (at = strchr(at, '\n')); at++)
    lines++;
  ck_assert_int_eq(lines, MANY);
  for (int i = 0; i < MANY; i++) {
    char *said = said_of(text, chans[i]);
    ck_assert_ptr_nonnull(said);
    free(said);
    gch_unref(chans[i]);
  }
  free(text);
  text = dump();
  ck_assert_str_eq(text, "");
  free(text);
}
END_TEST

/* Who is parked */

struct party {
  gch_chan *c;
  _Atomic uint32_t tid;
  test_thread *thread;
};

static uint32_t my_tid(void) {
  return (uint32_t)syscall(SYS_gettid);
}

static void party_recv(void *arg) {
  struct party *p = arg;
  atomic_store(&p->tid, my_tid());
  gch_recv(p->c, NULL);
}

static void party_send(void *arg) {
  struct party *p = arg;
  atomic_store(&p->tid, my_tid());
  gch_send(p->c, &(int){1});
}

static void party_start(struct party *p, void (*fn)(void *), gch_chan *c) {
  p->c = c;
  p->thread = thread_start(fn, p);
}

/* A line of a parked operation: what it says before the time, and the time. */
static double expect_parked(char **line, const char *how, uint32_t tid) {
  char head[128];
  double seconds = -1;
  char tail[2] = "";
  int n = snprintf(head, sizeof head, "  %s: thread %" PRIu32 ", ", how, tid);
  ck_assert_msg(strncmp(*line, head, (size_t)n) == 0, "%s in %s", head, *line);
  *line += n;
  ck_assert_int_eq(sscanf(*line, "%lf %1[s]", &seconds, tail), 2);
  *line = strchr(*line, '\n') + 1;
  ck_assert(seconds >= 0);
  return seconds;
}

/* The lines of the parked in what is said of c; *said is to be freed. */
static char *parked_on(const gch_chan *c, char **said) {
  char *text = dump();
  *said = said_of(text, c);
  free(text);
  ck_assert_ptr_nonnull(*said);
  return strchr(*said, '\n') + 1;
}

START_TEST(a_parked_receiver_is_shown_with_its_thread) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p;
  char *said;
  party_start(&p, party_recv, c);
  await_waiting(c, 0, 1);
  char *line = parked_on(c, &said);
  expect_parked(&line, "receive", p.tid);
  ck_assert_str_eq(line, "");
  free(said);
  gch_send(c, &(int){1});
  thread_join(p.thread);
  expect_said(c, ": 4 bytes, 0/0, open\n");
}
END_TEST

START_TEST(parked_senders_are_shown_in_their_order) {
  enum { SENDERS = 3 };
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p[SENDERS];
  char *said;
  for (size_t i = 0; i < SENDERS; i++) {
    party_start(&p[i], party_send, c);
    await_waiting(c, i + 1, 0);
  }
  char *line = parked_on(c, &said);
  for (int i = 0; i < SENDERS; i++)
    expect_parked(&line, "send", p[i].tid);
  ck_assert_str_eq(line, "");
  free(said);
  for (int i = 0; i < SENDERS; i++)
    gch_recv(c, NULL);
  for (int i = 0; i < SENDERS; i++)
    thread_join(p[i].thread);
}
END_TEST

START_TEST(how_long_counts_from_when_it_began_to_wait) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p;
  char *said;
  party_start(&p, party_recv, c);
  await_waiting(c, 0, 1);
  int64_t parked = gch_now();
  gch_sleep(30 * MS);
  char *line = parked_on(c, &said);
  double seconds = expect_parked(&line, "receive", p.tid);
  ck_assert(seconds >= 0.030);
  /* the clock's own grain is some milliseconds */
  ck_assert(seconds < (double)(gch_now() - parked) / 1e9 + 60);
  free(said);
  gch_close(c);
  thread_join(p.thread);
}
END_TEST

static void task_recv(void *c) {
  gch_recv(c, NULL);
  gch_unref(c);
}

START_TEST(how_long_counts_for_a_task_too) {
  gch_chan *c = gch_make_of(int, 0);
  gch_sleep(100 * MS); /* so that no worker is watched when the task begins */
  gch_go(task_recv, gch_ref(c));
  await_waiting(c, 0, 1);
  int64_t parked = gch_now();
  gch_sleep(30 * MS);
  char *said, *line = parked_on(c, &said);
  int64_t now = gch_now();
  double seconds = -1;
  ck_assert_int_eq(sscanf(line, "  receive: task %*s %lf s", &seconds), 1);
  ck_assert(seconds >= 0.030);
  ck_assert(seconds < (double)(now - parked) / 1e9 + 60);
  free(said);
  gch_close(c);
  gch_unref(c);
}
END_TEST

START_TEST(a_parked_task_is_shown_with_its_name) {
  gch_chan *c = gch_make_of(int, 0);
  gch_go_opts opts = {.name = "eater"};
  ck_assert_int_eq(gch_go_with(&opts, task_recv, gch_ref(c)), 0);
  await_waiting(c, 0, 1);
  ck_assert_int_eq(gch_go(task_recv, gch_ref(c)), 0);
  await_waiting(c, 0, 2);
  char *said, *line = parked_on(c, &said);
  char name[16] = "", *next = strchr(line, '\n') + 1;
  ck_assert_int_eq(
      sscanf(line, "  receive: task 0x%*x \"%15[a-z]\", %*f s", name), 1);
  ck_assert_str_eq(name, "eater");
  line = next + strlen("  receive: task 0x");
  ck_assert_int_eq(strncmp(next, "  receive: task 0x", 18), 0);
  line += strspn(line, "0123456789abcdef");
  ck_assert_int_eq(strncmp(line, ", ", 2), 0);
  free(said);
  gch_close(c);
  gch_unref(c);
}
END_TEST

struct two {
  gch_chan *a, *b;
  _Atomic uint32_t tid;
};

static void select_on_two(void *arg) {
  struct two *t = arg;
  int v = 0, err;
  atomic_store(&t->tid, my_tid());
  gch_select(GCH_TIMEOUT(GCH_HOUR), GCH_RECV(t->a, &v),
             GCH_SEND_ERR(t->b, &v, &err));
}

struct locker {
  gch_ctx *ctx;
  gch_mutex mutex;
  _Atomic uint32_t tid;
};

static void lock_until_done(void *arg) {
  struct locker *l = arg;
  atomic_store(&l->tid, my_tid());
  gch_mutex_lock_ctx(l->ctx, &l->mutex);
}

START_TEST(a_wait_that_a_context_ends_is_no_select) {
  struct locker l = {gch_ctx_with_cancel(gch_ctx_background()), GCH_MUTEX_INIT,
                     0};
  char *said;
  gch_mutex_lock(&l.mutex);
  test_thread *thread = thread_start(lock_until_done, &l);
  await_waiting(gch_ctx_done(l.ctx), 0, 1);
  char *line = parked_on(gch_ctx_done(l.ctx), &said);
  expect_parked(&line, "receive in a wait that a context ends", l.tid);
  free(said);
  gch_ctx_cancel(l.ctx);
  thread_join(thread);
  gch_ctx_unref(l.ctx);
}
END_TEST

START_TEST(a_parked_select_is_shown_on_each_of_its_channels) {
  struct two t = {gch_make_of(int, 0), gch_make_of(int, 0), 0};
  test_thread *thread = thread_start(select_on_two, &t);
  char *said;
  await_waiting(t.a, 0, 1);
  await_waiting(t.b, 1, 0);
  char *line = parked_on(t.a, &said);
  expect_parked(&line, "receive in select case 1", t.tid);
  ck_assert_str_eq(line, "");
  free(said);
  line = parked_on(t.b, &said);
  expect_parked(&line, "send in select case 2", t.tid);
  ck_assert_str_eq(line, "");
  free(said);
  gch_close(t.b);
  thread_join(thread);
  expect_said(t.a, ": 4 bytes, 0/0, open\n");
  gch_unref(t.a);
  gch_unref(t.b);
}
END_TEST

/* More than a batch holds, by two channels. */
enum { CASES = 150 };

static void select_on_many(void *arg) {
  struct two *t = arg;
  gch_case cases[2 * CASES];
  for (int i = 0; i < CASES; i++) {
    cases[i] = GCH_RECV(t->a, NULL);
    cases[CASES + i] = GCH_RECV(t->b, NULL);
  }
  atomic_store(&t->tid, my_tid());
  gch_select_cases(cases, 2 * CASES);
}

START_TEST(any_number_of_operations_is_shown) {
  struct two t = {gch_make_of(int, 0), gch_make_of(int, 0), 0};
  test_thread *thread = thread_start(select_on_many, &t);
  await_waiting(t.a, 0, CASES);
  await_waiting(t.b, 0, CASES);
  for (int i = 0; i < 2; i++) {
    char *said, *line = parked_on(i == 0 ? t.a : t.b, &said);
    int lines = 0;
    for (; (line = strstr(line, "  receive in select case ")); line++)
      lines++;
    ck_assert_int_eq(lines, CASES);
    free(said);
  }
  gch_close(t.a);
  thread_join(thread);
  gch_unref(t.a);
  gch_unref(t.b);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("dump");
  TCase *chans = test_case(s, "channels");
  tcase_add_test(chans, a_channel_is_a_line_with_name_size_len_and_cap);
  tcase_add_test(chans, a_channel_without_a_name_shows_none);
  tcase_add_test(chans, a_name_stays_on_its_line);
  tcase_add_test(chans, a_closed_channel_is_closed);
  tcase_add_test(chans, a_done_channel_is_of_a_context);
  tcase_add_test(chans, a_timers_channel_is_of_a_timer);
  tcase_add_test(chans, a_freed_channel_is_gone);
  tcase_add_test(chans, a_channel_that_somebody_holds_is_shown);
  tcase_add_test(chans, each_of_many_channels_is_shown_once);
  TCase *parked = test_case(s, "parked");
  tcase_add_test(parked, a_parked_receiver_is_shown_with_its_thread);
  tcase_add_test(parked, parked_senders_are_shown_in_their_order);
  tcase_add_test(parked, how_long_counts_from_when_it_began_to_wait);
  tcase_add_test(parked, how_long_counts_for_a_task_too);
  tcase_add_test(parked, a_parked_task_is_shown_with_its_name);
  tcase_add_test(parked, a_wait_that_a_context_ends_is_no_select);
  tcase_add_test(parked, a_parked_select_is_shown_on_each_of_its_channels);
  tcase_add_test(parked, any_number_of_operations_is_shown);
  return s;
}
