/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of timers, with its source: random steps beside a sorted list, what
   must be true of the tree after each, and how many entries a step touches. */
#define TEST_AS_IS
#include "harness.h"

#include "timer/heap.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 200, LOG = 14, BIG = 1 << LOG };

/* Check writes a file at each assertion, and here are very many. */
#define require(x)                                                             \
  do {                                                                         \
    if (!(x))                                                                  \
      ck_abort_msg("%s", #x);                                                  \
  } while (0)

static uint32_t rank_of(const struct gch_entry *e) {
  return e ? e->rank : 0;
}

/* Times that differ, and some that do not. */
static int64_t some_time(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

static uint32_t pick(uint32_t *state, uint32_t n) {
  return (uint32_t)(some_time(state) % n);
}

/* What must be true of one entry of the tree. */
static void check_entry(const struct gch_heap *h, const struct gch_entry *e) {
  if (e->up) {
    require(e->up->left == e || e->up->right == e);
    require(e->up->when <= e->when);
  } else {
    require(h->root == e);
  }
  require(rank_of(e->left) >= rank_of(e->right));
  require(e->rank == rank_of(e->right) + 1);
}

/* The sorted list: what is in, by any order, and its earliest time. */
struct list {
  struct gch_entry *in[MANY];
  uint32_t n;
};

static int64_t earliest(const struct list *l) {
  int64_t when = INT64_MAX;
  for (uint32_t i = 0; i < l->n; i++)
    when = l->in[i]->when < when ? l->in[i]->when : when;
  return when;
}

static void check_all(const struct gch_heap *h, const struct list *l) {
  size_t young = 0;
  for (uint32_t i = 0; i < l->n; i++) {
    const struct gch_entry *e = l->in[i];
    if (e->place == GCH_YOUNG) {
      check_entry(h, e);
    } else {
      require(h->array[e->place].entry == e);
      require(h->array[e->place].when == e->when);
      young++;
    }
  }
  require(young == h->young);
  require(gch__heap_is_empty(h) == (l->n == 0));
  const struct gch_entry *first = gch__heap_first(h);
  require(l->n == 0 ? first == NULL : first && first->when == earliest(l));
}

static void add(struct gch_heap *h, struct list *l, struct gch_entry *e,
                int64_t when) {
  e->when = when;
  gch__heap_add(h, e);
  l->in[l->n++] = e;
}

/* Takes out number i of the list; the last takes its place there. */
static void take(struct gch_heap *h, struct list *l, uint32_t i,
                 struct gch_entry **out) {
  *out = l->in[i];
  gch__heap_remove(h, *out);
  l->in[i] = l->in[--l->n];
}

static uint32_t index_of(const struct list *l, const struct gch_entry *e) {
  uint32_t i = 0;
  while (l->in[i] != e)
    i++;
  return i;
}

/* The list grows, shrinks and grows again; range: how many times there are. */
static void churn(uint32_t state, uint32_t range) {
  static struct gch_entry entries[MANY];
  struct gch_entry *out[MANY];
  struct gch_heap h = {.root = NULL};
  struct list l = {.n = 0};
  for (uint32_t i = 0; i < MANY; i++)
    out[i] = &entries[i];
  for (int step = 0; step < scaled(4000); step++) {
    uint32_t bias = step / 500 % 2 ? 3 : 7, what = pick(&state, 10);
    if (what < bias && l.n < MANY)
      add(&h, &l, out[MANY - 1 - l.n], pick(&state, range));
    else if (what < 9 && l.n > 0)
      take(&h, &l, pick(&state, l.n), &out[MANY - l.n]);
    else if (l.n > 0)
      take(&h, &l, index_of(&l, gch__heap_first(&h)), &out[MANY - l.n]);
    check_all(&h, &l);
  }
}

START_TEST(random_steps_give_what_a_list_gives) {
  for (uint32_t seed = 1; seed <= 4; seed++) {
    churn(seed, 1000000);
    churn(seed, 10);
  }
}
END_TEST

/* Kinds of times: rising, falling, random, all the same, a saw. */
enum { KINDS = 5 };

static int64_t time_of(int kind, int64_t i, uint32_t *state) {
  switch (kind) {
  case 0:
    return i;
  case 1:
    return BIG - i;
  case 2:
    return some_time(state);
  case 3:
    return 1;
  default:
    return i % 1000 * BIG + i;
  }
}

static struct gch_entry *fill(struct gch_heap *h, int kind) {
  struct gch_entry *e = calloc(BIG, sizeof *e);
  uint32_t state = 7;
  require(e);
  for (uint32_t i = 0; i < BIG; i++) {
    e[i].when = time_of(kind, i, &state);
    gch__heap_add(h, &e[i]);
  }
  return e;
}

START_TEST(they_come_in_the_order_of_their_times) {
  struct gch_heap h = {.root = NULL};
  struct gch_entry *e = fill(&h, _i), *first;
  int64_t last = INT64_MIN;
  uint32_t n = 0;
  for (; (first = gch__heap_first(&h)); n++) {
    require(first->when >= last);
    last = first->when;
    gch__heap_remove(&h, first);
  }
  require(n == BIG);
  free(e);
}
END_TEST

/* The number of entries that differ. */
static int changed(const struct gch_entry *e, const struct gch_entry *before) {
  int n = 0;
  for (uint32_t i = 0; i < BIG; i++)
    n += memcmp(&e[i], &before[i], sizeof *e) != 0;
  return n;
}

/* What a step walks over it mends, but for two or three. */
START_TEST(no_step_changes_more_than_a_few_entries) {
  enum { MOST = 4 * LOG };
  struct gch_heap h = {.root = NULL};
  struct gch_entry *e = fill(&h, _i), *before = calloc(BIG, sizeof *e);
  uint32_t state = 3;
  require(before);
  for (int i = 0; i < scaled(200); i++) {
    struct gch_entry *victim =
        i % 3 == 0 ? gch__heap_first(&h) : &e[pick(&state, BIG)];
    memcpy(before, e, BIG * sizeof *e);
    gch__heap_remove(&h, victim);
    require(changed(e, before) <= MOST);
    memcpy(before, e, BIG * sizeof *e);
    victim->when = time_of(_i, i, &state);
    gch__heap_add(&h, victim);
    require(changed(e, before) <= MOST);
  }
  free(before);
  free(e);
}
END_TEST

/* The way down to the right is short, whatever the order was. */
START_TEST(a_rank_is_a_logarithm) {
  struct gch_heap h = {.root = NULL};
  struct gch_entry *e = fill(&h, _i);
  require(h.root->rank <= LOG);
  free(e);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("timer heap");
  TCase *t = test_case(s, "heap");
  tcase_add_test(t, random_steps_give_what_a_list_gives);
  tcase_add_loop_test(t, they_come_in_the_order_of_their_times, 0, KINDS);
  tcase_add_loop_test(t, no_step_changes_more_than_a_few_entries, 0, KINDS);
  tcase_add_loop_test(t, a_rank_is_a_logarithm, 0, KINDS);
  return s;
}
