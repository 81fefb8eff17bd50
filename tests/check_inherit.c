/* SPDX-License-Identifier: BSD-3-Clause */
/* What the library's threads have of who started them: nothing. Each test
   spoils the thread that is the first to need some, or later the only one to
   run, and asks a task, or looks at the library's own thread from outside. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "thread_state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static void expect_clean(const struct state *s, const struct state *process) {
  ck_assert(CPU_EQUAL(&s->cpus, &process->cpus));
  ck_assert_int_eq(s->policy, SCHED_OTHER);
  ck_assert_int_eq(s->nice, process->nice);
  ck_assert_int_eq(s->io, process->io);
}

/* Ways to spoil a thread; false: it may not be done here. */

static bool be_of_policy(int policy, int priority) {
  struct sched_param p = {.sched_priority = priority};
  return syscall(SYS_sched_setscheduler, 0, policy, &p) == 0;
}

static bool be_real_time(void) {
  return be_of_policy(SCHED_FIFO, 5);
}

/* Without privilege there is no way back. */
static bool be_idle(void) {
  return geteuid() == 0 && be_of_policy(SCHED_IDLE, 0);
}

static bool be_batch(void) {
  return be_of_policy(SCHED_BATCH, 0);
}

static bool be_nice(void) {
  return geteuid() == 0 &&
         setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 7) == 0;
}

static bool be_idle_on_disks(void) {
  return syscall(SYS_ioprio_set, 1, 0, 3 << 13) == 0;
}

static bool round_up(void) {
  return fesetround(FE_UPWARD) == 0;
}

static bool sleep_loosely(void) {
  return prctl(PR_SET_TIMERSLACK, 3000000UL) == 0;
}

static bool rename_thread(void) {
  return prctl(PR_SET_NAME, "spoilt") == 0;
}

static bool (*const spoil[])(void) = {pin,      be_real_time,  be_idle,
                                      be_batch, be_nice,       be_idle_on_disks,
                                      round_up, sleep_loosely, rename_thread};
enum { WAYS = sizeof spoil / sizeof *spoil };

static void *first_to_need_one(void *way) {
  struct state *seen = calloc(1, sizeof *seen);
  if (!(*(bool (**)(void))way)()) {
    free(seen);
    return NULL;
  }
  ck_assert_int_eq(gch_run(look_in_task, seen), 0);
  return seen;
}

START_TEST(a_worker_has_nothing_of_the_first_thread_that_needs_one) {
  struct state process, own;
  pthread_t thread;
  void *seen;
  look(&process);
  ck_assert_int_eq(pthread_create(&thread, NULL, first_to_need_one,
                                  (void *)(uintptr_t)&spoil[_i]),
                   0);
  pthread_join(thread, &seen);
  if (!seen)
    return;
  struct state *s = seen;
  expect_clean(s, &process);
  ck_assert_int_eq(s->round, FE_TONEAREST);
  ck_assert_int_eq(s->slack, 50000);
  ck_assert_str_eq(s->name, "gulch-worker");
  look_at(await_thread_named("gulch"), &own);
  expect_clean(&own, &process);
  free(seen);
}
END_TEST

/* The task that is alone on the only worker spoils that, and needs another. */
struct pair {
  bool (*spoil)(void);
  bool spoilt;
  atomic_bool seen;
  struct state state;
};

static void look_and_say(void *pair) {
  struct pair *p = pair;
  look(&p->state);
  atomic_store(&p->seen, true);
}

static int need_another(void *pair) {
  struct pair *p = pair;
  p->spoilt = p->spoil();
  if (!p->spoilt)
    return 0;
  gch_go(look_and_say, p);
  while (!atomic_load(&p->seen)) /* not one that lets it run here */
    usleep(1000);
  return 0;
}

START_TEST(a_worker_has_nothing_of_a_task_that_needs_another) {
  struct state process;
  struct pair p = {.spoil = spoil[_i]};
  look(&process);
  gch_maxprocs(2);
  gch_run(need_another, &p);
  if (!p.spoilt)
    return;
  expect_clean(&p.state, &process);
  ck_assert_int_eq(p.state.round, FE_TONEAREST);
  ck_assert_int_eq(p.state.slack, 50000);
  ck_assert_str_eq(p.state.name, "gulch-worker");
}
END_TEST

/* Of all the threads that there are, the watchdog's included. */
static void pin_all(void) {
  cpu_set_t one;
  DIR *all = opendir("/proc/self/task");
  ck_assert_ptr_nonnull(all);
  CPU_ZERO(&one);
  CPU_SET((size_t)sched_getcpu(), &one);
  for (struct dirent *e; (e = readdir(all));)
    if (e->d_name[0] != '.')
      ck_assert_int_eq(sched_setaffinity(atoi(e->d_name), sizeof one, &one), 0);
  closedir(all);
}

/* What no thread may use the process may not. */
START_TEST(workers_have_the_processors_of_a_process_pinned_before) {
  struct state process, seen;
  pin_all();
  look(&process);
  ck_assert_int_eq(gch_maxprocs(0), 1);
  gch_run(look_in_task, &seen);
  expect_clean(&seen, &process);
}
END_TEST

START_TEST(main_that_is_pinned_later_pins_no_worker) {
  struct state process;
  struct pair p = {.spoil = rename_thread};
  look(&process);
  gch_maxprocs(2);
  gch_run(look_in_task, &p.state);
  ck_assert(pin());
  gch_run(need_another, &p);
  expect_clean(&p.state, &process);
}
END_TEST

static void *ask_maxprocs(void *answer) {
  ck_assert(pin());
  *(int *)answer = gch_maxprocs(0);
  return NULL;
}

/* But for a quota, which this process is in or not. */
START_TEST(maxprocs_is_the_same_if_a_pinned_thread_asks_first) {
  int answer, status;
  pthread_t thread;
  pid_t pid = fork();
  if (pid == 0)
    _exit(gch_maxprocs(0));
  waitpid(pid, &status, 0);
  pthread_create(&thread, NULL, ask_maxprocs, &answer);
  pthread_join(thread, NULL);
  ck_assert_int_eq(answer, WEXITSTATUS(status));
}
END_TEST

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__i386__))
static int divide(void *zero) {
  volatile double *d = zero;
  *d = 1 / *d;
  return 0;
}

START_TEST(a_worker_traps_nothing_that_its_starter_traps) {
  volatile double d = 0;
  feenableexcept(FE_DIVBYZERO);
  ck_assert_int_eq(gch_run(divide, (void *)(uintptr_t)&d), 0);
  ck_assert(d > 1);
}
END_TEST
#endif

static int traps(void *flushes) {
  volatile double tiny = 0x1p-1000, product = tiny * 0x1p-60;
  *(bool *)flushes = product == 0;
  return 0;
}

START_TEST(a_worker_computes_with_subnormal_numbers) {
  bool flushes;
#ifdef __SSE2__
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
  gch_run(traps, &flushes);
  ck_assert(!flushes);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("inherit");
  TCase *t = test_case(s, "worker");
  tcase_add_loop_test(
      t, a_worker_has_nothing_of_the_first_thread_that_needs_one, 0, WAYS);
  tcase_add_loop_test(t, a_worker_has_nothing_of_a_task_that_needs_another, 0,
                      WAYS);
  tcase_add_test(t,
                 workers_have_the_processors_of_a_process_pinned_before);
  tcase_add_test(t, main_that_is_pinned_later_pins_no_worker);
  tcase_add_test(t, maxprocs_is_the_same_if_a_pinned_thread_asks_first);
  tcase_add_test(t, a_worker_computes_with_subnormal_numbers);
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__i386__))
  tcase_add_test(t, a_worker_traps_nothing_that_its_starter_traps);
#endif
  return s;
}
