/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fan-out, fan-in: several workers read from one channel, and their results
 * come together in another, which is closed when the last of them is done.
 *
 *     go func() {
 *         defer close(numbers)
 *         for n := 1; n <= 100; n++ {
 *             numbers <- n
 *         }
 *     }()
 *     for i := 0; i < 4; i++ {
 *         workers.Add(1)
 *         go func() {
 *             defer workers.Done()
 *             for n := range numbers {
 *                 squares <- n * n
 *             }
 *         }()
 *     }
 *     go func() {
 *         workers.Wait()
 *         close(squares)
 *     }()
 *     sum := 0
 *     for square := range squares {
 *         sum += square
 *     }
 */
#include "example.h"

enum { NUMBERS = 100, WORKERS = 4 };

struct pipeline {
  gch_chan *numbers, *squares; /* of int */
  gch_wg workers, others;
};

static void generate(void *arg) {
  struct pipeline *p = arg;
  for (int n = 1; n <= NUMBERS; n++)
    if (gch_send(p->numbers, &n) != 0)
      break;
  gch_close(p->numbers);
}

static void square(void *arg) {
  struct pipeline *p = arg;
  int n;
  while (gch_recv(p->numbers, &n) == 0)
    if (gch_send(p->squares, &(int){n * n}) != 0)
      break;
}

static void close_squares(void *arg) {
  struct pipeline *p = arg;
  gch_wg_wait(&p->workers);
  gch_close(p->squares);
}

static int start(struct pipeline *p) {
  int err = gch_wg_go(&p->others, generate, p);
  for (int i = 0; i < WORKERS && !err; i++)
    err = gch_wg_go(&p->workers, square, p);
  if (!err)
    err = gch_wg_go(&p->others, close_squares, p);
  return err;
}

GCH_MAIN(argc, argv) {
  GCH_AUTO gch_chan *numbers = gch_make_of(int, 0);
  GCH_AUTO gch_chan *squares = gch_make_of(int, 0);
  if (!numbers || !squares)
    return fail("gch_make", ENOMEM);

  struct pipeline p = {.numbers = numbers, .squares = squares};
  int err = start(&p);
  if (err) { /* whoever sends now fails, and stops */
    gch_close(numbers);
    gch_close(squares);
  }

  int n, count = 0, sum = 0;
  while (gch_recv(squares, &n) == 0) {
    count++;
    sum += n;
  }
  gch_wg_wait(&p.workers);
  gch_wg_wait(&p.others);
  if (err)
    return fail("cannot start a task", err);
  printf("%d squares, their sum is %d\n", count, sum);
  return 0;
}
