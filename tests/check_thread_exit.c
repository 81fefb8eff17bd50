/* SPDX-License-Identifier: BSD-3-Clause */
/* pthread_exit in a task: what the thread does after that, cleanup handlers and
   destructors, may use gulch, and finds no task running but for the handlers
   that the task itself has pushed. */
#define TEST_AS_IS
#include "tasks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static pthread_key_t first_key;
static gch_chan *from_destructor; /* of size_t */
static atomic_int destroyed, cleaned;

/* Blocks, as a plain thread does: tasks go on meanwhile. */
static void tell(void *value) {
  size_t tasks = gch_num_tasks();
  (void)value;
  ck_assert_int_eq(gch_send(from_destructor, &tasks), 0);
  atomic_fetch_add(&destroyed, 1);
}

/* The program's key is older than any of the library's. */
static void make_key(void) {
  ck_assert_int_eq(pthread_key_create(&first_key, tell), 0);
  from_destructor = gch_make_of(size_t, 0);
}

static void leave(void *arg) {
  pthread_setspecific(first_key, arg);
  pthread_exit(NULL);
}

START_TEST(the_task_is_over_before_destructors_run) {
  size_t tasks = 9;
  make_key();
  ck_assert_int_eq(gch_go(leave, &tasks), 0);
  ck_assert_int_eq(gch_recv(from_destructor, &tasks), 0);
  ck_assert_uint_eq(tasks, 0);
  gch_unref(from_destructor);
}
END_TEST

START_TEST(a_task_with_a_thread_is_over_before_destructors_run) {
  size_t tasks = 9;
  gch_go_opts opts = {.thread = true};
  make_key();
  ck_assert_int_eq(gch_go_with(&opts, leave, &tasks), 0);
  ck_assert_int_eq(gch_recv(from_destructor, &tasks), 0);
  ck_assert_uint_eq(tasks, 0);
  gch_unref(from_destructor);
}
END_TEST

static void count_sum(void *sum) {
  size_t tasks;
  while (gch_recv(from_destructor, &tasks) == 0)
    atomic_fetch_add((atomic_int *)sum, 1);
}

START_TEST(destructors_of_many_block_while_tasks_go_on) {
  int many = scaled(200);
  atomic_int sum = 0;
  make_key();
  gch_go(count_sum, &sum);
  for (int i = 0; i < many; i++)
    ck_assert_int_eq(gch_go(leave, &sum), 0);
  await_count(&destroyed, many);
  gch_close(from_destructor);
  await_no_tasks();
  ck_assert_int_eq(sum, many);
  gch_unref(from_destructor);
}
END_TEST

static void start_another(void *arg) {
  ck_assert_int_eq(gch_go(arg ? (void (*)(void *))start_another : tell, NULL),
                   0);
}

static void start_from_destructor(void *value) {
  start_another(value);
}

static void leave_to_start(void *key) {
  pthread_setspecific(*(pthread_key_t *)key, key);
  pthread_exit(NULL);
}

START_TEST(a_destructor_may_start_tasks) {
  pthread_key_t key;
  size_t tasks;
  make_key();
  ck_assert_int_eq(pthread_key_create(&key, start_from_destructor), 0);
  ck_assert_int_eq(gch_go(leave_to_start, &key), 0);
  ck_assert_int_eq(gch_recv(from_destructor, &tasks), 0);
  await_no_tasks();
  gch_unref(from_destructor);
}
END_TEST

static void clean(void *wg) {
  atomic_fetch_add(&cleaned, 1);
  gch_wg_done(wg);
}

static void leave_with_handler(void *wg) {
  pthread_cleanup_push(clean, wg);
  pthread_exit(NULL);
  pthread_cleanup_pop(0);
}

START_TEST(the_tasks_own_handlers_run_first) {
  gch_wg wg = GCH_WG_INIT;
  for (int thread = 0; thread < 2; thread++) {
    gch_go_opts opts = {.thread = thread};
    gch_wg_add(&wg, 1);
    ck_assert_int_eq(gch_go_with(&opts, leave_with_handler, &wg), 0);
    gch_wg_wait(&wg);
    ck_assert_int_eq(cleaned, thread + 1);
    await_no_tasks();
  }
}
END_TEST

/* A worker's thread that ends because there are enough of them. */
static void block_and_mark(void *fd) {
  char c;
  pthread_setspecific(first_key, fd);
  ck_assert_int_eq(read(*(int *)fd, &c, 1), 0);
}

static void count_destroyed(void *value) {
  (void)value;
  gch_num_tasks();
  gch_unref(gch_make(0, 0));
  atomic_fetch_add(&destroyed, 1);
}

START_TEST(destructors_of_threads_that_are_not_needed_may_use_gulch) {
  enum { MANY = 40 };
  int fds[2];
  ck_assert_int_eq(pipe(fds), 0);
  ck_assert_int_eq(pthread_key_create(&first_key, count_destroyed), 0);
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(gch_go(block_and_mark, &fds[0]), 0);
  while (thread_count() < MANY)
    gch_sleep(GCH_MILLISECOND);
  close(fds[1]);
  await_no_tasks();
  await_count(&destroyed, MANY / 2);
  close(fds[0]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("thread_exit");
  TCase *t = test_case(s, "thread_exit");
  tcase_add_test(t, a_task_with_a_thread_is_over_before_destructors_run);
  tcase_add_test(t, destructors_of_threads_that_are_not_needed_may_use_gulch);
  if (!THREAD_SANITIZED) {
    tcase_add_test(t, the_task_is_over_before_destructors_run);
    tcase_add_test(t, destructors_of_many_block_while_tasks_go_on);
    tcase_add_test(t, a_destructor_may_start_tasks);
    tcase_add_test(t, the_tasks_own_handlers_run_first);
  }
  return s;
}
