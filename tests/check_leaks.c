/* SPDX-License-Identifier: BSD-3-Clause */
/* GULCH_LEAKS: what a program that ends has left alive. */
#define _GNU_SOURCE
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIVE "gulch: still alive: "
#define FDS(n)                                                                 \
  ALIVE "channels 0, contexts 0, timers 0, tasks 0, descriptors " n "\n"

/* Scenes. What they leave stays in kept, lest others take it for lost. */

static gch_chan *kept;
static gch_ctx *kept_ctx;
static gch_timer *kept_timer;

static void stay_quiet(void *c) {
  gch_close(c);
  gch_unref(c);
}

static void leave_nothing(void) {
  gch_chan *c = gch_make_of(int, 1);
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_HOUR);
  gch_timer *t = gch_timer_new(1 * MS);
  gch_chan *done = gch_make(0, 0);
  (gch_go)(stay_quiet, gch_ref(done)); /* may still be ending at the end */
  gch_recv(done, NULL);
  gch_recv(gch_timer_chan(t), NULL);
  gch_unref(done);
  gch_timer_free(t);
  gch_ctx_end(ctx);
  gch_unref(c);
  gch_ctx_done(gch_ctx_todo());
}

static void leave_a_channel(void) {
  kept = gch_make_of(int, 3);
  gch_set_name(kept, "left");
}

static void leave_a_context(void) {
  kept_ctx = gch_ctx_with_cancel(gch_ctx_background());
}

static void leave_a_timer(void) {
  kept_timer = gch_timer_new(GCH_HOUR);
}

static void leave_a_task(void) {
  kept = gch_make(0, 0);
  (gch_go)(stay, kept);
  await_waiting(kept, 0, 1);
}

/* Descriptors */

static int leave_a_listener(void) {
  int fd = -1;
  if (gch_net_listen("tcp4", "127.0.0.1:0", &fd) != 0)
    abort();
  return fd;
}

static void just_leave_a_listener(void) {
  leave_a_listener();
}

static void close_a_listener(void) {
  gch_io_close(leave_a_listener());
}

static void adopt_a_pipe(void *closed) {
  int fds[2];
  if (pipe(fds) != 0 || gch_io_adopt(fds[0]) != 0)
    abort();
  gch_close(closed);
}

static void leave_a_pipe_to_nobody(void) {
  kept = gch_make(0, 0);
  (gch_go)(adopt_a_pipe, kept);
  gch_recv(kept, NULL);
  gch_unref(kept);
}

static void leave_a_connection(void) {
  char address[64];
  int listener = leave_a_listener(), conn, dialled;
  gch_net_addr(listener, false, address, sizeof address);
  if (gch_net_dial(gch_ctx_background(), "tcp", address, &dialled) != 0 ||
      gch_io_accept(listener, &conn, NULL, NULL) != 0)
    abort();
  gch_io_close(listener);
}

static void leave_what_was_not_adopted(void) {
  int fds[2];
  char c;
  if (pipe(fds) != 0)
    abort();
  gch_io_read_until(fds[0], &c, 1, NULL, gch_in(1));
}

static void close_it_in_the_child(void) {
  int fd = leave_a_listener();
  pid_t pid = fork_alone();
  if (pid == 0)
    exit(0);
  waitpid(pid, NULL, 0);
  gch_io_close(fd);
}

static void unref_kept(void) {
  gch_unref(kept);
}

static void clean_up_at_exit(void) {
  kept = gch_make(0, 0);
  atexit(unref_kept);
}

static void leave_all_to_the_parent(void) {
  kept = gch_make(0, 0);
  pid_t pid = fork_alone();
  if (pid == 0)
    exit(0); /* lists nothing: these are not its own */
  waitpid(pid, NULL, 0);
  gch_unref(kept);
}

static void leave_by__exit(void) {
  leave_a_channel();
  _exit(0);
}

static const struct scene {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"nothing", leave_nothing},
    {"channel", leave_a_channel},
    {"context", leave_a_context},
    {"timer", leave_a_timer},
    {"task", leave_a_task},
    {"atexit", clean_up_at_exit},
    {"fork", leave_all_to_the_parent},
    {"_exit", leave_by__exit},
    {"listener", just_leave_a_listener},
    {"closed", close_a_listener},
    {"pipe", leave_a_pipe_to_nobody},
    {"connection", leave_a_connection},
    {"own", leave_what_was_not_adopted},
    {"forked", close_it_in_the_child},
};

/* Before main, which is the harness's. */
__attribute__((constructor)) static void play_if_asked(void) {
  const char *name = scene_to_play();
  for (size_t i = 0; name && i < sizeof scenes / sizeof *scenes; i++)
    if (strcmp(scenes[i].name, name) == 0) {
      scenes[i].play();
      exit(0);
    }
}

/* The audience */

/* What scene prints, with GULCH_LEAKS as given; to be freed. */
static char *text_of(const char *scene, const char *leaks) {
  char *text = malloc(SCENE_TEXT);
  ck_assert_ptr_nonnull(text);
  ck_assert_int_eq(play_scene(scene, "GULCH_LEAKS", leaks, text), 0);
  return text;
}

static void expect_text(const char *scene, const char *leaks,
                        const char *expected) {
  char *text = text_of(scene, leaks);
  ck_assert_str_eq(text, expected);
  free(text);
}

/* A first line that begins with a channel and goes on as told. */
static void expect_channel(const char *scene, const char *rest) {
  char *text = text_of(scene, "1");
  ck_assert_msg(strncmp(text, "channel 0x", 10) == 0, "%s", text);
  const char *at = text + 10 + strspn(text + 10, "0123456789abcdef");
  ck_assert_str_eq(at, rest);
  free(text);
}

START_TEST(nothing_alive_prints_nothing) {
  expect_text("nothing", "1", "");
}
END_TEST

START_TEST(a_channel_is_listed_and_counted) {
  expect_channel("channel",
                 " \"left\": 4 bytes, 0/3, open\n" ALIVE
                 "channels 1, contexts 0, timers 0, tasks 0, descriptors 0\n");
}
END_TEST

START_TEST(a_context_is_listed_and_counted) {
  expect_channel("context",
                 ": 0 bytes, 0/0, open, of a context\n" ALIVE
                 "channels 0, contexts 1, timers 0, tasks 0, descriptors 0\n");
}
END_TEST

START_TEST(a_timer_is_listed_and_counted) {
  expect_channel("timer",
                 ": 8 bytes, 0/0, open, of a timer\n" ALIVE
                 "channels 0, contexts 0, timers 1, tasks 0, descriptors 0\n");
}
END_TEST

START_TEST(a_task_is_counted_and_shown_where_it_is_parked) {
  char *text = text_of("task", "1");
  ck_assert_ptr_nonnull(strstr(text, ": 0 bytes, 0/0, open\n  receive: "));
  ck_assert_ptr_nonnull(strstr(text, "\ntask "));
  ck_assert_ptr_nonnull(strstr(text, ": stay, receive from 0x"));
  ck_assert_ptr_nonnull(strstr(
      text,
      "\n" ALIVE "channels 1, contexts 0, timers 0, tasks 1, descriptors 0\n"));
  free(text);
}
END_TEST

START_TEST(what_an_atexit_function_frees_is_not_listed) {
  expect_text("atexit", "1", "");
}
END_TEST

START_TEST(a_forked_child_does_not_list_its_parents) {
  expect_text("fork", "1", "");
}
END_TEST

START_TEST(_exit_lists_nothing) {
  expect_text("_exit", "1", "");
}
END_TEST

START_TEST(nothing_is_listed_unasked) {
  expect_text("channel", NULL, "");
  expect_text("channel", "", "");
  expect_text("channel", "0", "");
}
END_TEST

/* The text that is expected, where # stands for a number. */
static void expect_numbered(const char *scene, const char *expected) {
  char *text = text_of(scene, "1");
  const char *at = text;
  for (const char *e = expected; *e; e++) {
    size_t n = *e == '#' ? strspn(at, "0123456789") : *at == *e;
    ck_assert_msg(n > 0, "%s\nis not\n%s", text, expected);
    at += n;
  }
  ck_assert_str_eq(at, "");
  free(text);
}

START_TEST(an_adopted_descriptor_is_told_with_who_made_it) {
  expect_numbered("listener",
                  "fd #: open, tcp listening on #.#.#.#:#, adopted by a "
                  "thread\n" FDS("1"));
  expect_numbered("pipe",
                  "fd #: open, pipe, adopted by adopt_a_pipe\n" FDS("1"));
}
END_TEST

START_TEST(connections_are_told_with_their_addresses) {
  expect_numbered("connection",
                  "fd #: open, tcp #.#.#.#:# to #.#.#.#:#, connected by a "
                  "thread\n"
                  "fd #: open, tcp #.#.#.#:# to #.#.#.#:#, accepted by a "
                  "thread\n" FDS("2"));
}
END_TEST

START_TEST(a_closed_descriptor_is_not_told) {
  expect_text("closed", "1", "");
}
END_TEST

START_TEST(a_descriptor_that_was_not_adopted_is_the_programs_business) {
  expect_text("own", "1", "");
}
END_TEST

START_TEST(a_forked_child_does_not_tell_of_its_parents_descriptors) {
  expect_text("forked", "1", "");
}
END_TEST

START_TEST(no_descriptor_is_told_unasked) {
  expect_text("listener", NULL, "");
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("leaks");
  TCase *t = test_case(s, "leaks");
  tcase_add_test(t, nothing_alive_prints_nothing);
  tcase_add_test(t, a_channel_is_listed_and_counted);
  tcase_add_test(t, a_context_is_listed_and_counted);
  tcase_add_test(t, a_timer_is_listed_and_counted);
  tcase_add_test(t, a_task_is_counted_and_shown_where_it_is_parked);
  tcase_add_test(t, what_an_atexit_function_frees_is_not_listed);
  tcase_add_test(t, a_forked_child_does_not_list_its_parents);
  tcase_add_test(t, _exit_lists_nothing);
  tcase_add_test(t, nothing_is_listed_unasked);
  t = test_case(s, "descriptors");
  tcase_add_test(t, an_adopted_descriptor_is_told_with_who_made_it);
  tcase_add_test(t, connections_are_told_with_their_addresses);
  tcase_add_test(t, a_closed_descriptor_is_not_told);
  tcase_add_test(t, a_descriptor_that_was_not_adopted_is_the_programs_business);
  tcase_add_test(t, a_forked_child_does_not_tell_of_its_parents_descriptors);
  tcase_add_test(t, no_descriptor_is_told_unasked);
  return s;
}
