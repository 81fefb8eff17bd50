/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_dump: what it shows of tasks otherwise, and while they come and go. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "dump_tasks.h"
#include "fork_life.h"

#include <inttypes.h>
#include <sys/syscall.h>

static char *seen;

static void see(void *unused) {
  (void)unused;
  seen = dump();
}

static int dump_in_main_task(void *fn) {
  gch_go(receiver, NULL); /* does not begin before this one stops */
  if (fn)
    gch_blocking(see, NULL);
  else
    see(NULL);
  return 0;
}

static void expect_seen(const char *function, const char *line) {
  const char *is = line_of(seen, function);
  ck_assert_ptr_nonnull(is);
  ck_assert_str_eq(is, line);
}

static bool is_seen(const char *function, const char *line) {
  const char *is = line_of(seen, function);
  return is && strcmp(is, line) == 0;
}

static void dump_anew(void) {
  static const int value = 1;
  gch_send(scene.c, &value);
  await_no_tasks();
  free(seen);
  gch_run(dump_in_main_task, NULL);
}

/* Who sleeps on the way, for a page of memory say, may lose its proc, and then
   is outside, and the other begins: so this may take more than one try. */
START_TEST(who_dumps_runs_and_who_has_not_begun_is_ready) {
  gch_maxprocs(1);
  gch_run(dump_in_main_task, NULL);
  for (int i = 0; i < 100 && !(is_seen("dump_in_main_task", "running") &&
                               is_seen("receiver", "ready"));
       i++)
    dump_anew();
  expect_seen("dump_in_main_task", "running");
  expect_seen("receiver", "ready");
  free(seen);
}
END_TEST

START_TEST(who_is_in_blocking_is_outside) {
  gch_run(dump_in_main_task, &seen);
  expect_seen("dump_in_main_task", "outside in a call");
  free(seen);
}
END_TEST

START_TEST(a_task_shows_its_name) {
  gch_go_opts opts = {.name = "a\"b"};
  gch_go_with(&opts, receiver, NULL);
  await_waiting(scene.c, 0, 1);
  char *text = dump();
  ck_assert_ptr_nonnull(strstr(text, " \"a?b\": receiver, receive from"));
  free(text);
}
END_TEST

/* The lines that begin with "task". */
static int count_lines(const char *text) {
  int n = 0;
  for (const char *at = text; at; at = strchr(at, '\n')) {
    at += *at == '\n';
    n += strncmp(at, "task ", 5) == 0;
  }
  return n;
}

static void await_lines(int n) {
  for (bool is = false; !is;) {
    char *text = dump();
    is = count_lines(text) == n;
    free(text);
    if (!is)
      gch_sleep(MS);
  }
}

static _Atomic uint32_t tid;

static void thread_receiver(void *unused) {
  (void)unused;
  atomic_store(&tid, (uint32_t)syscall(SYS_gettid));
  gch_recv(scene.c, NULL);
}

START_TEST(a_task_that_is_a_thread_is_shown_by_its_number) {
  gch_go_opts opts = {.name = "own", .thread = true};
  char line[128];
  gch_go_with(&opts, thread_receiver, NULL);
  await_waiting(scene.c, 0, 1);
  char *text = dump();
  snprintf(line, sizeof line,
           "task thread %" PRIu32
           " \"own\": thread_receiver, receive from %p, ",
           tid, (void *)scene.c);
  ck_assert_msg(strstr(text, line) != NULL, "%s in %s", line, text);
  free(text);
  gch_close(scene.c);
  await_lines(0);
}
END_TEST

START_TEST(each_of_many_tasks_is_shown_once) {
  int many = scaled(3000);
  for (int i = 0; i < many; i++)
    gch_go(receiver, NULL);
  await_waiting(scene.c, 0, (size_t)many);
  char *text = dump();
  ck_assert_int_eq(count_lines(text), many);
  free(text);
}
END_TEST

START_TEST(who_is_over_is_not_shown) {
  gch_go(receiver, NULL);
  await_waiting(scene.c, 0, 1);
  pairs_run(20, 5);
  await_lines(1); /* some may be on their way out */
  gch_close(scene.c);
  await_lines(0);
}
END_TEST

/* At any time */

static void dump_often(void *over) {
  while (!atomic_load((atomic_bool *)over)) {
    FILE *none = fopen("/dev/null", "w");
    gch_dump(none);
    fclose(none);
  }
}

START_TEST(tasks_may_come_and_go_while_it_looks) {
  atomic_bool over = false;
  gch_go_opts thread = {.thread = true}, large = {.stack_size = 1 << 20};
  test_thread *t = thread_start(dump_often, &over);
  for (int i = 0; i < scaled(30); i++) {
    gch_go_with(&thread, receiver_for_long, NULL);
    gch_go_with(&large, receiver, NULL);
    pairs_run(10, 20);
    gch_send(scene.c, &i);
    gch_send(scene.c, &i);
  }
  atomic_store(&over, true);
  thread_join(t);
}
END_TEST

static int dump_in_child(void *unused) {
  (void)unused;
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    char *text = dump();
    const char *own = line_of(text, "dump_in_child");
    _exit(own && strcmp(own, "running") == 0 && !strstr(text, "receiver")
              ? OK
              : WRONG);
  }
  return status_of(pid);
}

START_TEST(a_child_shows_who_is_in_it) {
  gch_go_opts thread = {.thread = true};
  gch_go(receiver, NULL);
  gch_go_with(&thread, receiver, NULL);
  await_waiting(scene.c, 0, 2);
  ck_assert_int_eq(gch_run(dump_in_child, NULL), OK);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("dump_tasks_anytime");
  if (getenv("GULCH_TEST_EMULATOR") && sizeof(void *) < 8)
    return s; /* it lets nobody look at stacks */
  TCase *other = test_case(s, "other");
  tcase_add_checked_fixture(other, setup, teardown);
  tcase_add_test(other, who_dumps_runs_and_who_has_not_begun_is_ready);
  tcase_add_test(other, who_is_in_blocking_is_outside);
  tcase_add_test(other, a_task_shows_its_name);
  tcase_add_test(other, a_task_that_is_a_thread_is_shown_by_its_number);
  tcase_add_test(other, each_of_many_tasks_is_shown_once);
  tcase_add_test(other, who_is_over_is_not_shown);
  TCase *anytime = test_case(s, "anytime");
  tcase_add_checked_fixture(anytime, setup, teardown);
  tcase_add_test(anytime, tasks_may_come_and_go_while_it_looks);
  if (!THREAD_SANITIZED)
    tcase_add_test(anytime, a_child_shows_who_is_in_it);
  return s;
}
