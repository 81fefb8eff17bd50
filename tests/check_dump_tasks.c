/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_dump: what it shows of tasks. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "dump_text.h"
#include "fork_life.h"

#include <inttypes.h>
#include <sys/syscall.h>

/* What the functions below wait for. */
static struct scene {
  gch_chan *c, *d; /* of int */
  gch_mutex mutex;
  gch_rwmutex rwmutex;
  gch_cond cond;
  gch_once once;
  gch_wg wg;
} scene;

static atomic_int after; /* each does something after it waits, so that it is
                            where it waits */

static void then(void) {
  atomic_fetch_add(&after, 1);
}

/* Each is to be seen in the dump by its name. */

static void receiver(void *unused) {
  (void)unused;
  gch_recv(scene.c, NULL);
  then();
}

static void sender(void *unused) {
  (void)unused;
  gch_send(scene.d, &(int){1});
  then();
}

static void receiver_for_long(void *unused) {
  (void)unused;
  gch_recv_until(scene.c, NULL, gch_now() + GCH_HOUR);
  then();
}

static void selecter(void *unused) {
  int v = 0, err;
  (void)unused;
  gch_select(GCH_RECV(scene.c, &v), GCH_SEND_ERR(scene.d, &v, &err));
  then();
}

static void locker(void *unused) {
  (void)unused;
  gch_mutex_lock(&scene.mutex);
  then();
  gch_mutex_unlock(&scene.mutex);
}

static void rlocker(void *unused) {
  (void)unused;
  gch_rwmutex_rlock(&scene.rwmutex);
  then();
  gch_rwmutex_runlock(&scene.rwmutex);
}

static void wlocker(void *unused) {
  (void)unused;
  gch_rwmutex_lock(&scene.rwmutex);
  then();
  gch_rwmutex_unlock(&scene.rwmutex);
}

static void cond_waiter(void *unused) {
  gch_mutex m = GCH_MUTEX_INIT;
  (void)unused;
  gch_mutex_lock(&m);
  gch_cond_wait(&scene.cond, &m);
  gch_mutex_unlock(&m);
}

static void group_waiter(void *unused) {
  (void)unused;
  gch_wg_wait(&scene.wg);
  then();
}

static void first_of_once(void *unused) {
  (void)unused;
  gch_recv(scene.c, NULL);
  then();
}

static void once_waiter(void *unused) {
  (void)unused;
  gch_once_do(&scene.once, first_of_once, NULL);
  then();
}

/* The line of the task whose function this is, what comes after its name; NULL:
   there is none. */
static const char *line_of(const char *text, const char *function) {
  char head[64];
  static char line[1024];
  snprintf(head, sizeof head, ": %s, ", function);
  for (const char *at = text; at; at = strchr(at, '\n')) {
    at += *at == '\n';
    const char *end = strchrnul(at, '\n'), *found = strstr(at, head);
    if (strncmp(at, "task ", 5) != 0 || !found || found > end)
      continue;
    found += strlen(head);
    snprintf(line, sizeof line, "%.*s", (int)(end - found), found);
    return line;
  }
  return NULL;
}

/* Looks until the task says that; then it is so for good. */
static void expect_line(const char *function, const char *begins) {
  const char *line = NULL;
  for (bool is = false; !is;) {
    char *text = dump();
    line = line_of(text, function);
    is = line && strncmp(line, begins, strlen(begins)) == 0;
    free(text);
    if (!is)
      gch_sleep(MS);
  }
}

static void expect_wait(void (*fn)(void *), const char *function,
                        const char *begins) {
  double seconds = -1;
  char at[128], *text;
  gch_go(fn, NULL);
  expect_line(function, begins);
  text = dump();
  const char *line = line_of(text, function);
  ck_assert_ptr_nonnull(line);
  line += strlen(begins);
  snprintf(at, sizeof at, ", at %s+0x", function);
  /* AddressSanitizer has functions of its own between the program's. */
  ck_assert_msg((SANITIZED && !THREAD_SANITIZED) ||
                    strncmp(line, at, strlen(at)) == 0,
                "%s: %s", function, line);
  ck_assert_int_eq(sscanf(strrchr(line, ','), ", %lf s", &seconds), 1);
  ck_assert(seconds >= 0 && seconds < 3600);
  free(text);
}

static char *says(const char *what, const void *object) {
  static char text[128];
  snprintf(text, sizeof text, "%s %p", what, object);
  return text;
}

static void setup(void) {
  scene = (struct scene){.c = gch_make_of(int, 0), .d = gch_make_of(int, 0)};
}

static void teardown(void) {
  gch_close(scene.c);
  await_no_tasks();
  gch_unref(scene.c);
  gch_unref(scene.d);
}

/* Waits */

START_TEST(a_receive_shows_its_channel) {
  expect_wait(receiver, "receiver", says("receive from", scene.c));
  expect_wait(receiver_for_long, "receiver_for_long",
              says("receive from", scene.c));
}
END_TEST

START_TEST(a_send_shows_its_channel) {
  expect_wait(sender, "sender", says("send to", scene.d));
  gch_recv(scene.d, NULL);
}
END_TEST

START_TEST(a_select_shows_all_its_channels) {
  char text[128];
  snprintf(text, sizeof text, "select (receive from %p, send to %p)",
           (void *)scene.c, (void *)scene.d);
  expect_wait(selecter, "selecter", text);
}
END_TEST

START_TEST(locks_show_themselves) {
  gch_mutex_lock(&scene.mutex);
  gch_rwmutex_lock(&scene.rwmutex);
  expect_wait(locker, "locker", says("lock of mutex", &scene.mutex));
  expect_wait(rlocker, "rlocker", says("rlock of rwmutex", &scene.rwmutex));
  expect_wait(wlocker, "wlocker", says("lock of rwmutex", &scene.rwmutex));
  gch_mutex_unlock(&scene.mutex);
  gch_rwmutex_unlock(&scene.rwmutex);
}
END_TEST

START_TEST(a_cond_and_a_wait_group_show_themselves) {
  gch_wg_add(&scene.wg, 1);
  expect_wait(cond_waiter, "cond_waiter", says("cond", &scene.cond));
  expect_wait(group_waiter, "group_waiter", says("wait group", &scene.wg));
  gch_cond_signal(&scene.cond);
  gch_wg_done(&scene.wg);
}
END_TEST

static void once_runner(void *unused) {
  gch_once_do(&scene.once, first_of_once, unused);
  then();
}

START_TEST(a_once_shows_itself) {
  gch_go(once_runner, NULL);
  await_waiting(scene.c, 0, 1);
  expect_wait(once_waiter, "once_waiter", says("once", &scene.once));
}
END_TEST

START_TEST(what_a_timer_starts_is_called_by_its_function) {
  gch_timer *t = gch_timer_func(0, receiver, NULL);
  gch_after_func *a;
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  a = gch_ctx_after_func(ctx, sender, NULL);
  gch_ctx_cancel(ctx);
  expect_line("receiver", "receive from");
  expect_line("sender", "send to");
  gch_recv(scene.d, NULL);
  gch_after_func_release(a);
  gch_ctx_end(ctx);
  gch_timer_free(t);
}
END_TEST

static void sleeper(void *unused) {
  (void)unused;
  gch_sleep(GCH_HOUR);
  then();
}

static void chooser(void *unused) {
  (void)unused;
  gch_select(GCH_TIMEOUT(GCH_HOUR));
  then();
}

static void nobody(void *unused) {
  (void)unused;
  gch_recv(NULL, NULL);
  then();
}

static void look_at_those_who_stay(void) {
  expect_wait(sleeper, "sleeper", "sleep");
  expect_wait(chooser, "chooser", "sleep");
  expect_wait(nobody, "nobody", "for ever");
}

START_TEST(a_sleep_is_one) {
  pid_t pid = fork_with_parent(); /* they would stay */
  if (pid == 0) {
    look_at_those_who_stay();
    _exit(OK);
  }
  ck_assert_int_eq(status_of(pid), OK);
}
END_TEST

/* What it does otherwise */

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

START_TEST(who_dumps_runs_and_who_has_not_begun_is_ready) {
  gch_maxprocs(1);
  gch_run(dump_in_main_task, NULL);
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
  Suite *s = fork_suite("dump_tasks");
  if (getenv("GULCH_TEST_EMULATOR") && sizeof(void *) < 8)
    return s; /* it lets nobody look at stacks */
  TCase *waits = test_case(s, "waits");
  tcase_add_checked_fixture(waits, setup, teardown);
  tcase_add_test(waits, a_receive_shows_its_channel);
  tcase_add_test(waits, a_send_shows_its_channel);
  tcase_add_test(waits, a_select_shows_all_its_channels);
  tcase_add_test(waits, locks_show_themselves);
  tcase_add_test(waits, a_cond_and_a_wait_group_show_themselves);
  tcase_add_test(waits, a_once_shows_itself);
  tcase_add_test(waits, what_a_timer_starts_is_called_by_its_function);
  if (!SANITIZED)
    tcase_add_test(waits, a_sleep_is_one);
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
