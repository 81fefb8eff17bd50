/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_dump: what it shows of tasks that wait. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "dump_tasks.h"
#include "fork_life.h"

static void sender(void *unused) {
  (void)unused;
  gch_send(scene.d, &(int){1});
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
  return s;
}
