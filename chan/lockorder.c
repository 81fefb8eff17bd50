/* SPDX-License-Identifier: BSD-3-Clause */
/* All selects lock by ascending address, so none waits for another in a
   circle. Few cases are sorted by insertion, many by heap sort (Williams,
   1964): in place, never quadratic. */
#include "chan/lockorder.h"
#include "chan/random.h"

static gch_chan *at(const gch_case *cases, size_t slot) {
  return cases[cases[slot].order].chan;
}

static bool before(const gch_case *cases, size_t a, size_t b) {
  if (at(cases, a) != at(cases, b))
    return at(cases, a) < at(cases, b);
  return cases[a].order < cases[b].order;
}

static void swap(gch_case *cases, size_t a, size_t b) {
  uint32_t order = cases[a].order;
  cases[a].order = cases[b].order;
  cases[b].order = order;
}

static void sift_down(gch_case *cases, size_t root, size_t count) {
  size_t child;
  while ((child = 2 * root + 1) < count) {
    if (child + 1 < count && before(cases, child, child + 1))
      child++;
    if (before(cases, child, root))
      return;
    swap(cases, root, child);
    root = child;
  }
}

static void insert(gch_case *cases, size_t slot) {
  for (; slot > 0 && before(cases, slot, slot - 1); slot--)
    swap(cases, slot, slot - 1);
}

size_t gch__lock_order(gch_case *cases, size_t n) {
  enum { FEW = 8 };
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    if (cases[i].kind <= GCH_CASE_SEND_ERR && cases[i].chan) {
      cases[count].order = (uint32_t)i;
      if (n <= FEW)
        insert(cases, count);
      count++;
    }
  if (n <= FEW)
    return count;
  for (size_t root = count / 2; root-- > 0;)
    sift_down(cases, root, count);
  for (size_t end = count; end-- > 1;) {
    swap(cases, 0, end);
    sift_down(cases, 0, end);
  }
  return count;
}

void gch__shuffle_same(gch_case *cases, size_t count) {
  size_t first = 0; /* of the run of cases on one channel */
  for (size_t i = 1; i < count; i++) {
    if (at(cases, i) != at(cases, first))
      first = i;
    else
      swap(cases, i, first + gch__random_below((uint32_t)(i - first + 1)));
  }
}

void gch__lock_all(gch_case *cases, size_t count) {
  gch_chan *last = NULL;
  for (size_t i = 0; i < count; i++) {
    gch_chan *c = at(cases, i);
    if (c != last)
      gch__lock(&c->lock);
    last = c;
  }
}

void gch__unlock_all(gch_case *cases, size_t count) {
  gch_chan *last = NULL;
  for (size_t i = 0; i < count; i++) {
    gch_chan *c = at(cases, i);
    if (c != last)
      gch__unlock(&c->lock);
    last = c;
  }
}
