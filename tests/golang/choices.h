/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All ways through a piece of code that asks what to do: at each question the
 * first answer at first, and in later rounds all others.
 *
 *     struct choices x = {0};
 *     do {
 *       if (maybe(&x)) …;
 *       switch (choose(&x, 3)) …
 *     } while (next_choices(&x));
 */
#ifndef GULCH_TESTS_CHOICES_H
#define GULCH_TESTS_CHOICES_H

#include "chan_checks.h"

enum { MOST_CHOICES = 32 };

struct choices {
  int answer[MOST_CHOICES], of[MOST_CHOICES];
  int known, asked;
};

/* 0 … n - 1 */
static inline int choose(struct choices *x, int n) {
  if (x->asked == x->known) {
    require(x->known < MOST_CHOICES);
    x->answer[x->known] = 0;
    x->of[x->known++] = n;
  }
  require(x->of[x->asked] == n);
  return x->answer[x->asked++];
}

static inline bool maybe(struct choices *x) {
  return choose(x, 2) == 0;
}

/* Whether there is another way. */
static inline bool next_choices(struct choices *x) {
  x->asked = 0;
  while (x->known > 0 && x->answer[x->known - 1] == x->of[x->known - 1] - 1)
    x->known--;
  if (x->known == 0)
    return false;
  x->answer[x->known - 1]++;
  return true;
}

#endif
