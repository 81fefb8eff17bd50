/* SPDX-License-Identifier: BSD-3-Clause */
/* The ways to run the tests; see ways.h. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum way { AS_IS, THREADS, TASKS, MIXED };

static struct {
  bool known;
  enum way way;
  uint32_t seed;
  _Atomic uint32_t choices; /* made in this test */
  bool body_is_task;
} run;

/* For this program, and those that it runs. */
static void choose_seed(void) {
  char text[32];
  run.seed = (uint32_t)gch_now() ^ (uint32_t)getpid();
  snprintf(text, sizeof text, "mixed:%u", (unsigned)run.seed);
  setenv("GULCH_TEST_RUN", text, 1);
  fprintf(stderr, "GULCH_TEST_RUN=%s\n", text);
}

static void find_way(void) {
  const char *s = getenv("GULCH_TEST_RUN");
  run.known = true;
  if (!s || !*s)
    return;
  run.way = strcmp(s, "threads") == 0     ? THREADS
            : strcmp(s, "tasks") == 0     ? TASKS
            : strncmp(s, "mixed", 5) == 0 ? MIXED
                                          : AS_IS;
  if (run.way == AS_IS) {
    fprintf(stderr, "GULCH_TEST_RUN is threads, tasks or mixed[:SEED]\n");
    exit(EXIT_FAILURE);
  }
  if (run.way != MIXED)
    return;
  if (s[5] == ':')
    run.seed = (uint32_t)strtoul(s + 6, NULL, 10);
  else
    choose_seed();
}

/* First called by test_suite, while there is one thread. */
static enum way way(void) {
  if (!run.known)
    find_way();
  return run.way;
}

bool way_is_set(void) {
  return way() != AS_IS;
}

/* otherwise is what it is where no way is set. */
static bool choose_task(bool otherwise) {
  if (way() == AS_IS)
    return otherwise;
  if (way() != MIXED)
    return way() == TASKS;
  uint32_t x = run.seed + atomic_fetch_add(&run.choices, 1) * 2654435761u;
  x = (x ^ x >> 15) * 2246822519u;
  return ((x ^ x >> 13) & 0x100) != 0;
}

static int go_thread(size_t more_stack, void (*fn)(void *), void *arg) {
  enum { STACK = 256 * 1024 };
  gch_go_opts opts = {.thread = true, .stack_size = STACK + more_stack};
  return gch_go_with(&opts, fn, arg);
}

int way_go(void (*fn)(void *), void *arg) {
  return !fn || choose_task(true) ? gch_go(fn, arg) : go_thread(0, fn, arg);
}

/* go_copy, in a thread: the block becomes a copy on the thread's stack. */
struct copied {
  void (*fn)(void *);
  size_t size;
  _Alignas(max_align_t) unsigned char bytes[];
};

static void run_copied(void *arg) {
  struct copied *c = arg;
  void (*fn)(void *) = c->fn;
  _Alignas(max_align_t) unsigned char bytes[c->size + 1];
  memcpy(bytes, c->bytes, c->size);
  free(c);
  fn(bytes);
}

int way_go_copy(void (*fn)(void *), const void *arg, size_t size) {
  if (!fn || (!arg && size > 0) || size > SIZE_MAX / 4 || choose_task(true))
    return gch_go_copy(fn, arg, size);
  struct copied *c = malloc(sizeof *c + size);
  if (!c)
    return ENOMEM;
  c->fn = fn;
  c->size = size;
  if (size > 0)
    memcpy(c->bytes, arg, size);
  int err = go_thread(size, run_copied, c);
  if (err)
    free(c);
  return err;
}

struct counted {
  gch_wg *wg;
  void (*fn)(void *);
  void *arg;
};

static void run_counted(void *arg) {
  struct counted c = *(struct counted *)arg;
  free(arg);
  c.fn(c.arg);
  gch_wg_done(c.wg);
}

int way_wg_go(gch_wg *wg, void (*fn)(void *), void *arg) {
  if (!fn || choose_task(true))
    return gch_wg_go(wg, fn, arg);
  struct counted *c = malloc(sizeof *c);
  if (!c)
    return ENOMEM;
  *c = (struct counted){wg, fn, arg};
  gch_wg_add(wg, 1);
  int err = go_thread(0, run_counted, c);
  if (err) {
    gch_wg_done(wg);
    free(c);
  }
  return err;
}

test_thread *way_thread_start(void (*fn)(void *), void *arg) {
  return thread_start_as(choose_task(false), fn, arg);
}

/* Bodies */

struct body {
  TTest test;         /* what Check knows */
  const TTest *whose; /* the body, and its argument */
  int arg;
  gch_wg running;
};

static struct body **bodies;
static int num_bodies;

static void call_body(void *body) {
  struct body *b = body;
  b->whose->fn(b->arg);
  gch_wg_done(&b->running);
}

static void run_body(int i) {
  const gch_go_opts opts = {.name = "body", .stack_size = 8 << 20};
  atomic_store(&run.choices, (uint32_t)i << 16);
  run.body_is_task = !THREAD_SANITIZED && choose_task(false);
  gch_wg_add(&bodies[i]->running, 1);
  if (!run.body_is_task) {
    call_body(bodies[i]);
    return;
  }
  ck_assert_int_eq(gch_go_with(&opts, call_body, bodies[i]), 0);
  gch_wg_wait(&bodies[i]->running);
}

void way_add_test(TCase *t, const TTest *test, int start, int end) {
  if (!way_is_set()) {
    _tcase_add_test(t, test, 0, 0, start, end);
    return;
  }
  for (int arg = start; arg < end; arg++) {
    struct body *b = malloc(sizeof *b);
    bodies = realloc(bodies, (size_t)(num_bodies + 1) * sizeof(struct body *));
    if (!b || !bodies)
      abort();
    *b = (struct body){*test, test, arg, GCH_WG_INIT};
    b->test.fn = run_body;
    bodies[num_bodies] = b;
    _tcase_add_test(t, &b->test, 0, 0, num_bodies, num_bodies + 1);
    num_bodies++;
  }
}

size_t way_num_tasks(void) {
  return gch_num_tasks() - run.body_is_task;
}
