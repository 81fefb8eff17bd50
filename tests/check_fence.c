/* SPDX-License-Identifier: BSD-3-Clause */
/* Asymmetric fences, where the kernel has membarrier, where it refuses it later
   on, and where it refuses what takes its place too. */
#define TEST_AS_IS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ends.h"

#include "park/begin.h"
#include "park/clock.h"
#include "park/cpu.h"
#include "park/fence.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Refuses two calls to the calling thread, or to all. False: it can't. */
static bool refuse(int one, int other, unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)one, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)other, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {5, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0;
}

enum { CANNOT = 77 };
enum { NOTHING, MEMBARRIER, MMAP_TOO, REFUSALS };

#ifdef SYS_mmap
enum { MMAP = SYS_mmap };
#else
enum { MMAP = SYS_mmap2 };
#endif

static bool refuse_some(int refusal, unsigned flags) {
  return refusal == NOTHING ||
         refuse(SYS_membarrier, refusal == MMAP_TOO ? MMAP : SYS_membarrier,
                flags);
}

/* One counts up, makes a light fence, and looks at the other's number: all the
   time. The other sets his number, makes a heavy fence, and reads the count:
   the next one that comes must have seen the number. Stores wait in the
   processor for those before them: so the first writes many lines that the
   other has, too. */

struct line {
  _Alignas(128) _Atomic int value;
};

enum { LINES = 56, KEPT = 1 << 16 };

static struct line lines[LINES], count, number;
static _Atomic int seen_by[KEPT]; /* the last counts */
static atomic_bool over;
static int rounds;

static void write_lines(int value) {
  for (int i = 0; i < LINES; i++)
    atomic_store_explicit(&lines[i].value, value, memory_order_relaxed);
}

static void *often(void *arg) {
  for (int i = 1; !atomic_load_explicit(&over, memory_order_relaxed); i++) {
    write_lines(i);
    atomic_store_explicit(&count.value, i, memory_order_relaxed);
    gch__fence_light();
    int seen = atomic_load_explicit(&number.value, memory_order_relaxed);
    atomic_store_explicit(&seen_by[i % KEPT], seen, memory_order_release);
  }
  return arg;
}

/* The count that follows n is past what it does. */
static void await_next(int n) {
  while (atomic_load_explicit(&count.value, memory_order_relaxed) < n + 3)
    gch__pause();
}

static int seldom(void) {
  int wrong = 0;
  for (int i = 1; i <= rounds; i++) {
    write_lines(-i);
    atomic_store_explicit(&number.value, i, memory_order_relaxed);
    gch__fence_heavy();
    int n = atomic_load_explicit(&count.value, memory_order_relaxed);
    await_next(n);
    wrong += atomic_load_explicit(&seen_by[(n + 1) % KEPT],
                                  memory_order_acquire) < i;
  }
  atomic_store(&over, true);
  return wrong;
}

static int order_by_fences(void *refusal) {
  pthread_t thread;
  gch__fence_begin(); /* of this program's own copy */
  if (!gch__asymmetric)
    _exit(CANNOT);
  pthread_create(&thread, NULL, often, NULL);
  if (!refuse_some(*(int *)refusal, 0))
    _exit(CANNOT);
  int64_t start = gch__now();
  int wrong = seldom();
  fprintf(stderr, "%d ns a round, wrong: %d\n",
          (int)((gch__now() - start) / rounds), wrong);
  pthread_join(thread, NULL);
  return wrong > 0;
}

START_TEST(one_of_two_sees_the_other) {
  rounds = scaled(_i == MMAP_TOO ? 100 : 1000);
  struct ending e = ending_of(order_by_fences, &_i);
  ck_assert_msg(WIFEXITED(e.status) && (WEXITSTATUS(e.status) == 0 ||
                                        WEXITSTATUS(e.status) == CANNOT),
                "status %#x: %s", (unsigned)e.status, e.text);
  if (getenv("GULCH_TEST_SHOW"))
    fprintf(stderr, "refusal %d: %s", _i, e.text);
}
END_TEST

/* The whole library goes on. */

enum { TASKS = 4 };
static int each;

static void produce(void *c) {
  for (int i = 0; i < each; i++)
    if (gch_send(c, &i) != 0)
      abort();
}

static bool exchange(void) {
  gch_wg wg = GCH_WG_INIT;
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  long sum = 0;
  for (int i = 0; i < TASKS; i++)
    gch_wg_go(&wg, produce, c);
  for (int i = 0, v; i < TASKS * each; i++) {
    gch_recv(c, &v);
    sum += v;
  }
  gch_wg_wait(&wg);
  return sum == (long)TASKS * each * (each - 1) / 2;
}

static int go_on(void *refusal) {
  gch_maxprocs(4);
  if (!exchange())
    return 1;
  if (!refuse_some(*(int *)refusal, SECCOMP_FILTER_FLAG_TSYNC))
    return CANNOT;
  return exchange() ? 0 : 1;
}

START_TEST(what_is_refused_later_does_not_stop_the_library) {
  each = scaled(2000);
  struct ending e = ending_of(go_on, &_i);
  ck_assert_msg(WIFEXITED(e.status) && (WEXITSTATUS(e.status) == 0 ||
                                        WEXITSTATUS(e.status) == CANNOT),
                "status %#x: %s", (unsigned)e.status, e.text);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("fence");
  /* Sanitizers map memory when a thread ends. */
  int refusals = SANITIZED ? MMAP_TOO : REFUSALS;
  TCase *t = test_case(s, "refused");
  tcase_add_loop_test(t, one_of_two_sees_the_other, 0, refusals);
  tcase_add_loop_test(t, what_is_refused_later_does_not_stop_the_library, 0,
                      MMAP_TOO);
  return s;
}
