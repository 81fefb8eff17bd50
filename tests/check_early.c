/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before main and after it. This program is linked statically (local.mk): so
 * its constructors run before the library's. A scene begins in one of priority
 * 101 and ends in main, or at the end of the process.
 */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "scene.h"

#include "tasks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

static const char *scene;

static bool is(const char *name) {
  return scene && strcmp(scene, name) == 0;
}

static void must(bool right, const char *what) {
  if (right)
    return;
  fprintf(stderr, "not so: %s\n", what);
  _exit(1);
}
#define MUST(right) must(right, #right)

/* Tasks, and threads, that go on meanwhile */

enum { PAIRS = 4 };
static struct pair {
  gch_chan *there, *back;
  pthread_t thread;
} pairs[PAIRS];
static gch_mutex lock = GCH_MUTEX_INIT;
static atomic_bool over;
static long sum;

static void echo(void *arg) {
  struct pair *p = arg;
  int v;
  while (gch_recv(p->there, &v) == 0)
    gch_send(p->back, &v);
  gch_close(p->back);
}

/* Until told, and 100 times at least. */
static void ask(void *arg) {
  struct pair *p = arg;
  for (int i = 0, v; i < 100 || !over; i++) {
    MUST(gch_send(p->there, &i) == 0);
    MUST(gch_recv(p->back, &v) == 0 && v == i);
    gch_mutex_lock(&lock);
    sum++;
    gch_mutex_unlock(&lock);
  }
  gch_close(p->there);
}

static void *ask_in_thread(void *p) {
  ask(p);
  return p;
}

static void begin_pairs(void) {
  for (int i = 0; i < PAIRS; i++) {
    pairs[i].there = gch_make_of(int, 0);
    pairs[i].back = gch_make_of(int, (size_t)i & 1);
    MUST(gch_go(echo, &pairs[i]) == 0);
    if (i < PAIRS / 2)
      MUST(gch_go(ask, &pairs[i]) == 0);
    else
      MUST(pthread_create(&pairs[i].thread, NULL, ask_in_thread, &pairs[i]) ==
           0);
  }
}

static void end_pairs(void) {
  over = true;
  for (int i = PAIRS / 2; i < PAIRS; i++)
    pthread_join(pairs[i].thread, NULL);
  await_no_tasks();
  MUST(sum >= 100 * PAIRS);
}

/* A task, awaited */

static void add(void *n) {
  gch_sleep(GCH_MICROSECOND);
  atomic_fetch_add((atomic_int *)n, 1);
}

static void run_some(void) {
  enum { SOME = 20 };
  gch_wg wg = GCH_WG_INIT;
  atomic_int n = 0;
  for (int i = 0; i < SOME; i++)
    MUST(gch_wg_go(&wg, add, &n) == 0);
  gch_wg_wait(&wg);
  MUST(n == SOME);
}

static void touch(void *bytes) {
  volatile char *low = __builtin_alloca(*(size_t *)bytes);
  low[0] = 1;
}

static void run_on(size_t stack_size, size_t bytes) {
  gch_go_opts opts = {.name = "early", .stack_size = stack_size};
  MUST(gch_go_with(&opts, touch, &bytes) == 0);
  await_no_tasks();
}

/* What else begins early */

static void close_twice(void) {
  gch_chan *c = gch_make(0, 0);
  gch_close(c);
  gch_close(c);
}

static gch_ctx *kept;

static void sleep_for_good(void) {
  gch_recv(gch_make(0, 0), NULL);
}

static void fork_early(void) {
  run_some();
  pid_t pid = fork_alone();
  if (pid == 0) {
    run_some();
    await_no_tasks();
    _exit(0);
  }
  int status = 1;
  MUST(waitpid(pid, &status, 0) == pid && status == 0);
  run_some();
}

/* After main */

static void say(const char *text) {
  MUST(write(STDOUT_FILENO, text, strlen(text)) > 0);
}

static void at_exit(void) {
  run_some();
  say("atexit\n");
}

__attribute__((constructor(101))) static void early(void) {
  scene = scene_to_play();
  if (is("pairs"))
    begin_pairs();
  if (is("stacks")) {
    run_on(0, 200 * 1024);
    run_on(1 << 20, 1000 * 1024);
  }
  if (is("overflow"))
    run_on(0, 260 * 1024);
  if (is("twice"))
    close_twice();
  if (is("kept"))
    kept = gch_ctx_with_cancel(gch_ctx_background());
  if (is("asleep"))
    sleep_for_good();
  if (is("fork"))
    fork_early();
  if (is("exit")) {
    atexit(at_exit);
    begin_pairs();
  }
}

/* After the library's own, as C++ runs those of static objects. */
__attribute__((constructor)) static void late(void) {
  if (!scene)
    return;
  run_some();
  if (is("pairs"))
    end_pairs();
  exit(0);
}

__attribute__((destructor(101))) static void at_the_end(void) {
  if (!is("exit"))
    return;
  run_some();
  say("destructor\n");
}

/* The tests */

static void expect(const char *name, const char *variable, int status,
                   const char *words) {
  static char text[SCENE_TEXT];
  int is_now = play_to_end(name, variable, "1", text);
  ck_assert_msg(is_now == status && strstr(text, words), "%s: status %#x: %s",
                name, (unsigned)is_now, text);
}

START_TEST(tasks_and_threads_go_on_while_the_library_begins) {
  for (int i = 0; i < scaled(20); i++)
    expect("pairs", "GULCH_X", 0, "");
}
END_TEST

START_TEST(stacks_are_as_later) {
  expect("stacks", "GULCH_X", 0, "");
}
END_TEST

START_TEST(an_overflow_is_told) {
  expect("overflow", "GULCH_X", SIGABRT, "stack overflow in task early\n");
}
END_TEST

START_TEST(strict_mode_is_on) {
  expect("twice", "GULCH_STRICT", SIGABRT, "panic: close of closed channel");
}
END_TEST

START_TEST(leaks_are_told) {
  expect("kept", "GULCH_LEAKS", 0, "contexts 1,");
}
END_TEST

START_TEST(a_deadlock_is_told) {
  expect("asleep", "GULCH_DEADLOCK", 2 << 8, "deadlock!");
}
END_TEST

START_TEST(a_forked_child_has_tasks) {
  expect("fork", "GULCH_X", 0, "");
}
END_TEST

START_TEST(tasks_run_until_the_process_is_gone) {
  for (int i = 0; i < scaled(20); i++)
    expect("exit", "GULCH_X", 0, "atexit\ndestructor\n");
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("early");
  TCase *t = test_case(s, "before main");
  tcase_add_test(t, tasks_and_threads_go_on_while_the_library_begins);
  tcase_add_test(t, stacks_are_as_later);
  tcase_add_test(t, an_overflow_is_told);
  tcase_add_test(t, strict_mode_is_on);
  tcase_add_test(t, leaks_are_told);
  if (!THREAD_SANITIZED) /* which has a thread of its own */
    tcase_add_test(t, a_deadlock_is_told);
  tcase_add_test(t, a_forked_child_has_tasks);
  t = test_case(s, "after main");
  tcase_add_test(t, tasks_run_until_the_process_is_gone);
  return s;
}
