/* SPDX-License-Identifier: BSD-3-Clause */
/* Mutexes, rwmutexes and onces whose memory goes as soon as it may. */
#include "stress.h"

#include <string.h>

enum { TESTS = 2, MOMENT = 30000 };

/* Made anew each round; the last to have the lock frees it at once, while the
   one before may be on its way out of its unlock. */
enum { LAST_CREW = 4 };

struct brief {
  gch_mutex m;
  gch_rwmutex rw;
  int users;
};

static struct brief *by_mutex, *by_rwmutex;

static struct brief *brief_new(void) {
  struct brief *b = calloc(1, sizeof *b);
  require(b != NULL);
  return b;
}

static void make_brief(void *unused) {
  (void)unused;
  by_mutex = brief_new();
  by_rwmutex = brief_new();
}

static void brief_free(struct brief *b) {
  memset(b, 0xa5, sizeof *b);
  free(b);
}

static void use_and_free(void *unused, int id) {
  uint32_t random = stress_seed(id);
  struct brief *b = by_mutex;
  (void)unused;
  dawdle(&random, 200);
  while (gch_mutex_lock_until(&b->m, soon(&random, MOMENT)) != 0)
    ;
  bool is_last = ++b->users == LAST_CREW;
  gch_mutex_unlock(&b->m);
  if (is_last)
    brief_free(b);
  b = by_rwmutex;
  while (gch_rwmutex_lock_until(&b->rw, soon(&random, MOMENT)) != 0)
    ;
  is_last = ++b->users == LAST_CREW;
  gch_rwmutex_unlock(&b->rw);
  if (is_last)
    brief_free(b);
}

START_TEST(the_last_to_lock_frees) {
  struct rounds r = {
      .prepare = make_brief, .act = use_and_free, .end = stress_end(TESTS)};
  rounds_run(&r, LAST_CREW);
}
END_TEST

/* A once that those free who waited for it: the last of them, while who did it
   may still be on the way out. */
struct first {
  gch_once once;
  _Atomic int waiting;
};

static struct first *first;

static void make_first(void *unused) {
  (void)unused;
  first = calloc(1, sizeof *first);
  require(first != NULL);
  first->waiting = LAST_CREW - 1;
}

static void note_who(void *ran) {
  *(bool *)ran = true;
  pause_a_little();
}

static void do_and_free(void *unused, int id) {
  uint32_t random = stress_seed(id);
  struct first *f = first;
  bool ran = false;
  (void)unused;
  dawdle(&random, 200);
  gch_once_do(&f->once, note_who, &ran);
  scribble();
  if (!ran && atomic_fetch_sub(&f->waiting, 1) == 1) {
    memset(f, 0xa5, sizeof *f);
    free(f);
  }
}

START_TEST(who_waited_for_a_once_frees_it) {
  struct rounds r = {
      .prepare = make_first, .act = do_and_free, .end = stress_end(TESTS)};
  rounds_run(&r, LAST_CREW);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/lock_memory");
  TCase *t = test_case(s, "memory");
  tcase_add_test(t, the_last_to_lock_frees);
  tcase_add_test(t, who_waited_for_a_once_frees_it);
  return s;
}
