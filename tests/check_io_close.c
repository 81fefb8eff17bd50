/* SPDX-License-Identifier: BSD-3-Clause */
/* Closing under those who wait; numbers that are used again. */
#include "io_facts.h"

#include <poll.h>

static const struct {
  int (*call)(struct io_call *c);
  bool writes, both;
} waits[] = {{call_read, false, false},      {call_read_ctx, false, false},
             {call_read_until, false, false}, {call_read_full, false, false},
             {call_wait_read, false, false}, {call_readable, false, false},
             {call_write, true, false},      {call_wait_write, true, false},
             {call_writable, true, false}};
enum { WAITS = sizeof waits / sizeof *waits };

static void await_one(int fd, int wait, size_t n) {
  await_io(fd, waits[wait].writes ? 0 : n, waits[wait].writes ? n : 0);
}

START_TEST(a_close_ends_whoever_waits) {
  enum { MANY = 4 };
  int kind = _i % KINDS, wait = _i / KINDS;
  struct ends e = make_ends(kind);
  int fd = waits[wait].writes ? e.in : e.out;
  struct io_call c[MANY];
  test_thread *t[MANY];
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  if (waits[wait].writes)
    fill(fd);
  for (size_t i = 0; i < MANY; i++) {
    c[i] = (struct io_call){.fd = fd,
                            .call = waits[wait].call,
                            .ctx = ctx,
                            .len = 4,
                            .deadline = gch_in(GCH_SECOND * 1000)};
    t[i] = start_io(&c[i]);
    await_one(fd, wait, i + 1);
  }
  ck_assert_int_eq(gch_io_close(fd), 0);
  ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
  for (int i = 0; i < MANY; i++) {
    thread_join(t[i]);
    ck_assert_int_eq(c[i].err, EBADF);
  }
  ck_assert_int_eq(gch_io_close(fd), EBADF);
  ck_assert_int_eq(gch_io_close(waits[wait].writes ? e.out : e.in), 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(what_is_closed_is_a_bad_descriptor) {
  struct ends e = make_ends(_i);
  char c;
  close_ends(e);
  ck_assert_int_eq(gch_io_read(e.out, &c, 1, NULL), EBADF);
  ck_assert_int_eq(gch_io_write(e.in, &c, 1, NULL), EBADF);
  ck_assert_int_eq(gch_io_wait(e.in, GCH_IO_WRITE, NULL), EBADF);
  ck_assert_int_eq(gch_io_close(e.in), EBADF);
  int err = 77;
  ck_assert_int_eq(gch_select(GCH_READABLE_ERR(e.out, &err)), 0);
  ck_assert_int_eq(err, EBADF);
}
END_TEST

START_TEST(what_nobody_has_used_is_closed_too) {
  int fd = dup(0);
  ck_assert_int_eq(gch_io_close(fd), 0);
  ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

/* Plain close */

START_TEST(a_plain_close_leaves_who_waits_until_its_deadline) {
  struct ends e = make_ends(_i == 0 ? SOCKETS : PIPE);
  struct io_call c = {.fd = e.out,
                      .call = call_read_until,
                      .deadline = gch_in(50 * GCH_MILLISECOND)};
  test_thread *t = start_io(&c);
  size_t readers = 0;
  while (readers == 0 && !atomic_load(&c.over)) { /* by its deadline */
    gch_sleep(50 * GCH_MICROSECOND);
    gch_io_waiting(e.out, &readers, NULL);
  }
  close(e.out);
  thread_join(t);
  ck_assert_int_eq(c.err, ETIMEDOUT);
  close(e.in);
}
END_TEST

#if !THREAD_SANITIZED /* which calls a plain close under a waiter a race */
/* The old pair has a dup, so that events for it still come. */
START_TEST(a_number_used_again_is_not_the_old_waiters) {
  struct ends e = make_ends(_i % 2 == 0 ? SOCKETS : PIPE), next;
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  int dup_of_old = _i / 2 == 0 ? dup(e.out) : -1;
  struct io_call old = {.fd = e.out, .call = call_read_ctx, .ctx = ctx};
  test_thread *t = start_io(&old);
  await_io(e.out, 1, 0);
  close(e.out);
  next = make_ends(SOCKETS);
  if (next.out != e.out) {
    ck_assert_int_ge(dup2(next.out, e.out), 0);
    close(next.out);
    next.out = e.out;
  }
  put(next.in, "new");
  if (dup_of_old >= 0) {
    put(e.in, "old");
    ck_assert_int_eq(poll(&(struct pollfd){.fd = dup_of_old, .events = POLLIN},
                          1, -1),
                     1);
  }
  gch_sleep(5 * GCH_MILLISECOND); /* for a fault to show */
  expect(next.out, "new");
  struct io_call young = {.fd = next.out, .call = call_read};
  test_thread *t2 = start_io(&young);
  await_io(next.out, 1, 0);
  ck_assert_int_eq(old.over, 0);
  put(next.in, "more");
  thread_join(t2);
  ck_assert_int_eq(young.err, 0);
  ck_assert_uint_eq(young.n, 4);
  gch_ctx_cancel(ctx);
  thread_join(t);
  ck_assert_int_eq(old.err, ECANCELED);
  if (dup_of_old >= 0) {
    expect(dup_of_old, "old");
    close(dup_of_old);
  }
  gch_ctx_end(ctx);
  close(e.in);
  close_ends(next);
}
END_TEST

#endif

START_TEST(a_close_wakes_nobody_at_a_dup) {
  struct ends e = make_ends(_i);
  int other = dup(e.out);
  struct io_call c = {.fd = other, .call = call_read},
                 d = {.fd = e.out, .call = call_read};
  test_thread *t = start_io(&c), *t2 = start_io(&d);
  await_io(other, 1, 0);
  await_io(e.out, 1, 0);
  ck_assert_int_eq(gch_io_close(e.out), 0);
  thread_join(t2);
  ck_assert_int_eq(d.err, EBADF);
  await_io(other, 1, 0);
  put(e.in, "x");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 1);
  ck_assert_int_eq(gch_io_close(other), 0);
  ck_assert_int_eq(gch_io_close(e.in), 0);
}
END_TEST

/* A storm: readers until it is closed, writers, and the close, all at once;
   the numbers are used again at once. */

struct storm {
  struct ends e;
  gch_wg over;
};

/* By numbers from there on. */
static struct ends make_ends_at(int number, int kind) {
  struct ends low = make_ends(is_pipe(kind) ? PIPE : SOCKETS);
  struct ends e = {fcntl(low.out, F_DUPFD, number),
                   fcntl(low.in, F_DUPFD, number)};
  close(low.out);
  close(low.in);
  if (is_adopted(kind)) {
    ck_assert_int_eq(gch_io_adopt(e.out), 0);
    ck_assert_int_eq(gch_io_adopt(e.in), 0);
  }
  return e;
}

static void read_until_closed(void *arg) {
  struct storm *s = arg;
  char buf[16];
  int err;
  size_t n;
  do
    err = gch_io_read(s->e.out, buf, sizeof buf, &n);
  while (err == 0 && n > 0);
  ck_assert_msg(err == 0 || err == EBADF || err == ECONNRESET, "%d", err);
  gch_wg_done(&s->over);
}

static void select_until_closed(void *arg) {
  struct storm *s = arg;
  int err = 0;
  gch_select(GCH_READABLE_ERR(s->e.out, &err), GCH_RECV(NULL, NULL));
  ck_assert(err == 0 || err == EBADF);
  gch_wg_done(&s->over);
}

static void write_until_closed(void *arg) {
  struct storm *s = arg;
  for (int i = 0; i < 3; i++)
    if (gch_io_write(s->e.in, "x", 1, NULL) != 0)
      break;
  gch_wg_done(&s->over);
}

static void close_it(void *arg) {
  struct storm *s = arg;
  ck_assert_int_eq(gch_io_close(s->e.out), 0);
  gch_wg_done(&s->over);
}

struct place {
  int number, kind;
};

/* Each uses its own numbers again and again: who is started late, after the
   close, must not find those of another. */
static void storm(void *arg) {
  const struct place *p = arg;
  for (int i = 0; i < scaled(200); i++) {
    struct storm s = {.e = make_ends_at(p->number, p->kind)};
    gch_wg_add(&s.over, 5);
    gch_go(read_until_closed, &s);
    gch_go(select_until_closed, &s);
    gch_go(write_until_closed, &s);
    gch_go(read_until_closed, &s);
    gch_go(close_it, &s);
    gch_wg_wait(&s.over);
    ck_assert_int_eq(gch_io_close(s.e.in), 0);
  }
}

START_TEST(closes_and_numbers_used_again_in_a_storm) {
  enum { STORMS = 4, FIRST = 100, NUMBERS = 20 };
  test_thread *t[STORMS];
  struct place p[STORMS];
  for (int i = 0; i < STORMS; i++) {
    p[i] = (struct place){FIRST + NUMBERS * i, _i};
    t[i] = thread_start(storm, &p[i]);
  }
  for (int i = 0; i < STORMS; i++)
    thread_join(t[i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_close");
  TCase *t = test_case(s, "close");
  tcase_add_loop_test(t, a_close_ends_whoever_waits, 0, WAITS * KINDS);
  add_io_test(t, what_is_closed_is_a_bad_descriptor);
  tcase_add_test(t, what_nobody_has_used_is_closed_too);
  t = test_case(s, "plain close");
  tcase_add_loop_test(t, a_plain_close_leaves_who_waits_until_its_deadline, 0,
                      2);
#if !THREAD_SANITIZED
  tcase_add_loop_test(t, a_number_used_again_is_not_the_old_waiters, 0, 4);
#endif
  add_io_test(t, a_close_wakes_nobody_at_a_dup);
  t = test_case(s, "storm");
  add_io_test(t, closes_and_numbers_used_again_in_a_storm);
  return s;
}
