/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was parked on a channel and is woken does not touch the channel again.
 * Here it is freed between the wake and when the task goes on, and its memory
 * filled with other bytes: a length that came from there would be no length.
 * (Legal it is not: each caller must hold a reference.)
 */
#define TEST_AS_IS
#include "chan_forms.h"

#include <stdlib.h>

enum { MEMORY = 512 }; /* a channel has less */

struct sleeper {
  form fn;
  gch_chan *c;
  void *elem;
  int v[3], err;
};

static void sleep_on(void *arg) {
  struct sleeper *s = arg;
  s->err = s->fn(s->c, s->elem);
}

/* A task that is parked, on the only worker: once it is woken it goes on when
   this one stops. */
static struct sleeper *parked(form fn, void (*drop)(void *)) {
  static struct sleeper s;
  size_t senders = 0, receivers = 0;
  s = (struct sleeper){fn, gch_make_of(int, 0), NULL, {-1, -1, -1}, -1};
  s.elem = drop ? NULL : &s.v[1];
  if (drop)
    gch_set_drop(s.c, drop);
  form_require(gch_go(sleep_on, &s) == 0);
  while (senders + receivers == 0) {
    gch_yield();
    gch_waiting(s.c, &senders, &receivers);
  }
  return &s;
}

static void await_end(const struct sleeper *s) {
  while (s->err == -1)
    gch_yield();
}

/* Frees c, and has its memory used for something else. */
static void free_and_reuse(gch_chan *c) {
  void *taken[16];
  gch_unref(c);
  for (size_t i = 0; i < 16; i++) {
    size_t size = MEMORY - 32 * i;
    taken[i] = malloc(size);
    memset(taken[i], 0x7f, size);
  }
  gch_yield();
  for (int i = 0; i < 16; i++)
    free(taken[i]);
}

static int recv_until_late_select(gch_chan *c, void *elem) {
  int err = -1;
  form_require(gch_select(GCH_UNTIL(gch_now() + GCH_HOUR),
                          GCH_RECV_ERR(c, elem, &err)) == 1);
  return err;
}

static int send_until_late_select(gch_chan *c, void *elem) {
  int err = -1;
  form_require(gch_select(GCH_UNTIL(gch_now() + GCH_HOUR),
                          GCH_SEND_ERR(c, elem, &err)) == 1);
  return err;
}

static const form wait_to_recv[] = {recv_plain, recv_until_late, recv_by_select,
                                    recv_until_late_select,
                                    recv_by_ordered_select};
static const form wait_to_send[] = {send_plain, send_until_late, send_by_select,
                                    send_until_late_select,
                                    send_by_ordered_select};
enum { WAYS = 5 };

static void close_under_receiver(form fn) {
  struct sleeper *s = parked(fn, NULL);
  gch_close(s->c);
  free_and_reuse(s->c);
  await_end(s);
  form_require(s->err == EPIPE);
  form_require(s->v[0] == -1 && s->v[1] == 0 && s->v[2] == -1);
}

static void close_under_sender(form fn) {
  struct sleeper *s = parked(fn, NULL);
  gch_close(s->c);
  free_and_reuse(s->c);
  await_end(s);
  form_require(s->err == EPIPE && s->v[1] == -1);
}

static void serve_receiver(form fn) {
  struct sleeper *s = parked(fn, NULL);
  put_int(s->c, 7);
  free_and_reuse(s->c);
  await_end(s);
  form_require(s->err == 0 && s->v[1] == 7 && s->v[2] == -1);
}

static void serve_sender(form fn) {
  struct sleeper *s = parked(fn, NULL);
  form_require(take_int(s->c) == -1);
  free_and_reuse(s->c);
  await_end(s);
  form_require(s->err == 0);
}

static int dropped;

static void drop_int(void *elem) {
  dropped += *(int *)elem;
}

static void serve_into_null(form fn) {
  struct sleeper *s = parked(fn, drop_int);
  put_int(s->c, 7);
  free_and_reuse(s->c);
  await_end(s);
  form_require(s->err == 0 && dropped == 7);
}

/* In a task, for one worker runs it and the sleeper. */
struct scene {
  void (*fact)(form fn);
  form fn;
};

static int play(void *arg) {
  struct scene *s = arg;
  s->fact(s->fn);
  return 0;
}

static void run(void (*fact)(form fn), form fn) {
  struct scene s = {fact, fn};
  gch_maxprocs(1);
  ck_assert_int_eq(gch_run(play, &s), 0);
}

START_TEST(a_receiver_that_a_close_wakes) {
  run(close_under_receiver, wait_to_recv[_i]);
}
END_TEST

START_TEST(a_sender_that_a_close_wakes) {
  run(close_under_sender, wait_to_send[_i]);
}
END_TEST

START_TEST(a_receiver_that_is_served) {
  run(serve_receiver, wait_to_recv[_i]);
}
END_TEST

START_TEST(a_sender_that_is_served) {
  run(serve_sender, wait_to_send[_i]);
}
END_TEST

START_TEST(a_receiver_whose_value_is_dropped) {
  run(serve_into_null, wait_to_recv[_i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_gone");
  TCase *t = test_case(s, "woken");
  tcase_add_loop_test(t, a_receiver_that_a_close_wakes, 0, WAYS);
  tcase_add_loop_test(t, a_sender_that_a_close_wakes, 0, WAYS);
  tcase_add_loop_test(t, a_receiver_that_is_served, 0, WAYS);
  tcase_add_loop_test(t, a_sender_that_is_served, 0, WAYS);
  tcase_add_loop_test(t, a_receiver_whose_value_is_dropped, 0, WAYS);
  return s;
}
