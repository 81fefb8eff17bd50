/* SPDX-License-Identifier: BSD-3-Clause */
/* Guards where each takes mappings, as on Linux before 6.13: there are some for
   the rest of the program, and they come back. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "tasks.h"

#include <alloca.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* In the place of libc's: MADV_GUARD_INSTALL and _REMOVE are not known. */
int madvise(void *at, size_t size, int advice) {
  if (advice == 102 || advice == 103) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_madvise, at, size, advice);
}

static long mappings(void) {
  long n = 0;
  int c;
  FILE *f = fopen("/proc/self/maps", "r");
  ck_assert_ptr_nonnull(f);
  while ((c = getc(f)) != EOF)
    n += c == '\n';
  fclose(f);
  return n;
}

/* Mappings that guards may take; 0: too many for a test, or for the stacks that
   there are to guard. ThreadSanitizer knows no more than 8000 tasks. */
static long quarter(void) {
  long n = 0;
  FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
  if (!f || fscanf(f, "%ld", &n) != 1 || n >= 200000 || THREAD_SANITIZED ||
      sizeof(void *) == 4)
    n = 0;
  if (f)
    fclose(f);
  return n / 4;
}

/* What else comes: slabs; and for each thread a stack and an arena, with what
   guards them. A busy machine may have up to a hundred threads, where workers
   wait for the kernel's own lock of the memory. */
static long others(void) {
  enum { SLABS = 100, A_THREAD = 4 };
  return SLABS + A_THREAD * thread_count();
}

struct crowd {
  gch_chan *gate;
  size_t size;
  int err;
};

static void stay(void *gate) {
  gch_recv(gate, NULL);
}

static struct crowd gather(size_t size, size_t stack_size) {
  struct crowd w = {gch_make(0, 0), size, 0};
  gch_go_opts opts = {.stack_size = stack_size};
  for (size_t i = 0; i < size && !w.err; i++)
    w.err = gch_go_with(&opts, stay, w.gate);
  ck_assert_int_eq(w.err, 0);
  await_waiting(w.gate, 0, size);
  return w;
}

static void disperse(struct crowd *w) {
  size_t others = gch_num_tasks() - w->size;
  gch_close(w->gate);
  while (gch_num_tasks() > others)
    gch_yield();
  gch_unref(w->gate);
}

/* _i: kB of each stack that were asked for. */
START_TEST(guards_take_no_more_than_a_quarter_of_the_mappings) {
  long most = quarter(), before = mappings();
  struct crowd w = gather((size_t)most, (size_t)_i << 10);
  ck_assert_int_le(mappings(), before + most + others());
  disperse(&w);
}
END_TEST

START_TEST(they_come_back_as_stacks_are_freed) {
  enum { ROUNDS = 3, WARM = 2 * (2048 + 200) };
  long before = mappings();
  for (int i = 0; i < ROUNDS; i++) {
    struct crowd w = gather((size_t)quarter(), (size_t)_i << 10);
    disperse(&w);
    while (mappings() > before + WARM + others())
      gch_sleep(GCH_MILLISECOND); /* workers unmap them after the tasks' ends */
  }
}
END_TEST

/* Overflows */

static volatile size_t frame_size =
    8192; /* lest a compiler makes a loop of it */

__attribute__((noinline)) static int descend(int left) {
  volatile char *low = alloca(frame_size);
  low[0] = 1;
  return left > 0 ? descend(left - 1) + low[0] : low[0];
}

enum { LARGE = 512 };

static int overflow(void *size) {
  descend((*(size_t *)size == 0 ? 256 : LARGE) / 8 + 1);
  return 0;
}

static void call_overflow(void *size) {
  overflow(size);
}

static int overflow_in_task(void *size) {
  gch_go_opts opts = {.name = "glutton", .stack_size = *(size_t *)size << 10};
  gch_go_with(&opts, call_overflow, size);
  gch_recv(NULL, NULL);
  return 0;
}

#define TOLD "stack overflow in task glutton\n"

START_TEST(an_overflow_is_told) {
  size_t size = (size_t)_i;
  expect_abort(overflow_in_task, &size, TOLD);
}
END_TEST

/* On what the worker has got back last, which had no guard. It has not been
   idle since. */
static int overflow_after_a_crowd(void *size) {
  size_t bytes = *(size_t *)size << 10;
  struct crowd guarded = gather((size_t)quarter() / 2 + 100, bytes);
  struct crowd without = gather(200, bytes);
  disperse(&guarded);
  disperse(&without);
  return overflow_in_task(size);
}

static int run_overflow_after_a_crowd(void *size) {
  gch_maxprocs(1);
  return gch_run(overflow_after_a_crowd, size);
}

START_TEST(an_overflow_is_told_after_guards_have_run_out) {
  size_t size = (size_t)_i;
  expect_abort(run_overflow_after_a_crowd, &size, TOLD);
}
END_TEST

/* Of stacks as usual, and of those that have a mapping of their own. */
static void add(TCase *t, const TTest *test) {
  tcase_add_loop_test(t, test, 0, 1);
  tcase_add_loop_test(t, test, LARGE, LARGE + 1);
}

Suite *test_suite(void) {
  Suite *s = suite_create("task_mappings");
  TCase *t = test_case(s, "mappings");
  add(t, an_overflow_is_told);
  if (quarter() == 0 || SANITIZED) /* sanitizers map much for each stack */
    return s;
  add(t, guards_take_no_more_than_a_quarter_of_the_mappings);
  add(t, they_come_back_as_stacks_are_freed);
  add(t, an_overflow_is_told_after_guards_have_run_out);
  return s;
}
