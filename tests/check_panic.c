/* SPDX-License-Identifier: BSD-3-Clause */
/* Panics: how one looks, its hook, gch_must; and each misuse of a channel or
   select that is one. Strict mode is in check_strict.c. */
#define _GNU_SOURCE
#include "chan_forms.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a panic looks */

/* What fn, in a process of its own, prints to stderr; its wait status. */
static int run_apart(void (*fn)(void), char *text, size_t size) {
  const struct rlimit none = {0, 0};
  int status;
  FILE *errors = tmpfile();
  ck_assert_ptr_nonnull(errors);
  fflush(NULL);
  pid_t pid = fork_alone();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    setrlimit(RLIMIT_CORE, &none);
    dup2(fileno(errors), STDERR_FILENO);
    fn();
    _exit(0);
  }
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  rewind(errors);
  text[fread(text, 1, size - 1, errors)] = '\0';
  fclose(errors);
  return status;
}

static void expect_abort(int status) {
  ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                "status %#x", (unsigned)status);
}

static void panic_formatted(void) {
  gch_panic("%s %d%%", "words", 42);
}

START_TEST(a_panic_prints_its_words_first_and_aborts) {
  static const char words[] = "panic: words 42%\n";
  char text[8192];
  expect_abort(run_apart(panic_formatted, text, sizeof text));
  ck_assert_int_eq(strncmp(text, words, sizeof words - 1), 0);
}
END_TEST

#if defined(__GLIBC__) /* which has backtraces */
START_TEST(a_panic_says_where) {
  static const char words[] = "panic: words 42%\n";
  char text[8192];
  run_apart(panic_formatted, text, sizeof text);
  const char *where = text + strlen(words);
  ck_assert_uint_gt(strlen(where), strspn(where, " \n\t"));
}
END_TEST
#endif

static void panic_v(void *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  gch_vpanic("%s and %d", ap);
}

static void panic_from_list(void *arg) {
  panic_v(arg, "words", 7);
}

START_TEST(vpanic_takes_a_list_of_arguments) {
  expect_panic(panic_from_list, NULL, "words and 7");
}
END_TEST

static void panic_at_length(void *arg) {
  gch_panic("%s", (const char *)arg);
}

START_TEST(a_panic_may_have_long_words) {
  char words[501];
  memset(words, 'w', 500);
  words[500] = '\0';
  expect_panic(panic_at_length, words, words);
}
END_TEST

/* The hook */

static void tell(const char *msg) {
  fprintf(stderr, "hook: %s\n", msg);
  fflush(stderr);
}

static void panic_with_hook(void) {
  gch_set_panic_hook(tell);
  panic_formatted();
}

START_TEST(the_hook_sees_the_message_first_and_then_the_panic_goes_on) {
  char text[8192];
  expect_abort(run_apart(panic_with_hook, text, sizeof text));
  const char *hook = strstr(text, "hook: words 42%\n");
  const char *panic = strstr(text, "panic: words 42%\n");
  ck_assert_ptr_nonnull(hook);
  ck_assert_ptr_nonnull(panic);
  ck_assert(hook < panic);
}
END_TEST

static void leave(const char *msg) {
  _exit(strcmp(msg, "words 42%") == 0 ? 42 : 1);
}

static void panic_with_leaving_hook(void) {
  gch_set_panic_hook(leave);
  panic_formatted();
}

START_TEST(the_hook_may_end_the_process_itself) {
  char text[100];
  int status = run_apart(panic_with_leaving_hook, text, sizeof text);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
  ck_assert_str_eq(text, "");
}
END_TEST

static void panic_with_hook_taken_away(void) {
  gch_set_panic_hook(tell);
  gch_set_panic_hook(NULL);
  panic_formatted();
}

START_TEST(null_takes_the_hook_away) {
  char text[8192];
  expect_abort(run_apart(panic_with_hook_taken_away, text, sizeof text));
  ck_assert_ptr_null(strstr(text, "hook:"));
}
END_TEST

static gch_chan *looked_at;

static void look_at_channel(const char *msg) {
  (void)msg;
  gch_len(looked_at);
  gch_try_recv(looked_at, NULL);
  gch_waiting(looked_at, NULL, NULL);
}

static void send_on_closed_with_hook(void) {
  int v = 1;
  looked_at = gch_make_of(int, 0);
  gch_close(looked_at);
  gch_set_panic_hook(look_at_channel);
  gch_select(GCH_SEND(looked_at, &v));
}

START_TEST(the_hook_may_use_the_channel_that_panics) {
  char text[8192];
  expect_abort(run_apart(send_on_closed_with_hook, text, sizeof text));
}
END_TEST

/* gch_must */

static int evaluated;

static int one_more(void) {
  evaluated++;
  return 0;
}

START_TEST(must_lets_0_pass_and_evaluates_once) {
  evaluated = 0;
  gch_must(one_more());
  ck_assert_int_eq(evaluated, 1);
}
END_TEST

enum { CLOSE_LINE = __LINE__ + 3, FAIL_LINE = __LINE__ + 7 };

static void must_close(void *c) {
  gch_must(gch_close(c));
}

static void must_succeed(void *err) {
  gch_must(*(int *)err);
}

START_TEST(must_panics_with_file_line_expression_and_error) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  char words[500];
  gch_close(c);
  snprintf(words, sizeof words, "%s:%d: gch_close(c): closed channel", __FILE__,
           CLOSE_LINE);
  expect_panic(must_close, c, words);
}
END_TEST

START_TEST(must_names_each_error) {
  static const int errors[] = {EPIPE, EAGAIN, ETIMEDOUT, ECANCELED, EINVAL};
  char words[500];
  for (int i = 0; i < 5; i++) {
    int err = errors[i];
    snprintf(words, sizeof words, "%s:%d: *(int *)err: %s", __FILE__, FAIL_LINE,
             gch_strerror(err));
    expect_panic(must_succeed, &err, words);
  }
}
END_TEST

/* Arms without a place for their error */

static void select_send(void *c) {
  int v = 1;
  gch_select(GCH_SEND(c, &v), GCH_DEFAULT);
}

static void select_send_ordered(void *c) {
  int v = 1;
  gch_select_ordered(GCH_DEFAULT, GCH_SEND(c, &v));
}

static void select_send_by_function(void *c) {
  int v = 1;
  gch_case cases[] = {gch_case_send(c, &v, NULL)};
  gch_select_cases(cases, 1);
}

static void select_send_among_others(void *c) {
  int v = 1;
  for (;;)
    gch_select(GCH_SEND(c, &v), GCH_RECV(c, &v));
}

static void (*const arms[])(void *) = {select_send, select_send_ordered,
                                       select_send_by_function,
                                       select_send_among_others};

START_TEST(a_send_arm_on_a_closed_channel_panics) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  gch_close(c);
  expect_panic(arms[_i], c, "send on closed channel");
}
END_TEST

static void close_when_somebody_sends(void *c) {
  await_waiting(c, 1, 0);
  gch_close(c);
}

static void select_send_until_closed(void *c) {
  int v = 1;
  thread_start(close_when_somebody_sends, c);
  gch_select(GCH_SEND(c, &v), GCH_TIMEOUT(GCH_HOUR));
}

START_TEST(a_parked_send_arm_panics_when_its_channel_is_closed) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  expect_panic(select_send_until_closed, c, "send on closed channel");
}
END_TEST

/* Misuse that has no words in Go: that it is a panic. */

static void expect_some_panic(void (*fn)(void)) {
  char text[8192];
  expect_abort(run_apart(fn, text, sizeof text));
  ck_assert_msg(strncmp(text, "panic: ", 7) == 0, "stderr: %s", text);
}

static void two_defaults(void) {
  gch_select(GCH_DEFAULT, GCH_RECV(NULL, NULL), GCH_DEFAULT);
}

static void two_defaults_and_a_ready_case(void) {
  gch_chan *c = gch_make_of(int, 0);
  gch_close(c);
  gch_select_ordered(GCH_RECV(c, NULL), GCH_DEFAULT, GCH_DEFAULT);
}

static void two_defaults_at_the_end(void) {
  gch_select(GCH_RECV(gch_make_of(int, 0), NULL), GCH_DEFAULT, GCH_DEFAULT);
}

static void more_cases_than_int_counts(void) {
  gch_select_cases(NULL, (size_t)INT_MAX + 1);
}

static void null_element_in_arm(void) {
  gch_select(GCH_SEND(gch_make_of(int, 1), NULL), GCH_DEFAULT);
}

static void null_element_in_err_arm(void) {
  int err;
  gch_select(GCH_SEND_ERR(gch_make_of(int, 0), NULL, &err), GCH_DEFAULT);
}

static void unref_borrowed_done(void) {
  gch_unref(gch_ctx_done(gch_ctx_with_cancel(gch_ctx_background())));
}

static void unref_borrowed_timer(void) {
  gch_unref(gch_timer_chan(gch_timer_new(GCH_HOUR)));
}

static void unref_borrowed_ticker(void) {
  gch_unref(gch_ticker_chan(gch_ticker_new(GCH_HOUR)));
}

static gch_chan *parked_on;

static int recv_for_ever(gch_chan *c, void *elem) {
  return recvs[evaluated](c, elem);
}

static int send_for_ever(gch_chan *c, void *elem) {
  return sends[evaluated](c, elem);
}

static void unref_under_receiver(void) {
  static struct party p;
  parked_on = gch_make_of(int, 0);
  party_start_int(&p, recv_for_ever, parked_on, 1);
  await_waiting(parked_on, 0, 1);
  gch_unref(parked_on);
}

static void unref_under_sender(void) {
  static struct party p;
  parked_on = gch_make_of(int, 0);
  party_start_int(&p, send_for_ever, parked_on, 1);
  await_waiting(parked_on, 1, 0);
  gch_unref(parked_on);
}

START_TEST(freeing_what_threads_are_parked_on_panics) {
  evaluated = _i;
  expect_some_panic(unref_under_receiver);
  expect_some_panic(unref_under_sender);
}
END_TEST

static void (*const misuses[])(void) = {two_defaults,
                                        two_defaults_and_a_ready_case,
                                        two_defaults_at_the_end,
                                        more_cases_than_int_counts,
                                        null_element_in_arm,
                                        null_element_in_err_arm,
                                        unref_borrowed_done,
                                        unref_borrowed_timer,
                                        unref_borrowed_ticker};
enum { MISUSES = sizeof misuses / sizeof *misuses };

START_TEST(misuse_is_a_panic) {
  expect_some_panic(misuses[_i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("panic");
  TCase *t = test_case(s, "looks");
  tcase_add_test(t, a_panic_prints_its_words_first_and_aborts);
#if defined(__GLIBC__)
  tcase_add_test(t, a_panic_says_where);
#endif
  tcase_add_test(t, vpanic_takes_a_list_of_arguments);
  tcase_add_test(t, a_panic_may_have_long_words);
  t = test_case(s, "hook");
  tcase_add_test(t, the_hook_sees_the_message_first_and_then_the_panic_goes_on);
  tcase_add_test(t, the_hook_may_end_the_process_itself);
  tcase_add_test(t, null_takes_the_hook_away);
  tcase_add_test(t, the_hook_may_use_the_channel_that_panics);
  t = test_case(s, "must");
  tcase_add_test(t, must_lets_0_pass_and_evaluates_once);
  tcase_add_test(t, must_panics_with_file_line_expression_and_error);
  tcase_add_test(t, must_names_each_error);
  t = test_case(s, "misuse");
  tcase_add_loop_test(t, a_send_arm_on_a_closed_channel_panics, 0, 4);
  tcase_add_test(t, a_parked_send_arm_panics_when_its_channel_is_closed);
  tcase_add_loop_test(t, misuse_is_a_panic, 0, MISUSES);
  add_test_of_blocking(t, freeing_what_threads_are_parked_on_panics);
  return s;
}
