/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that is built with a sanitizer, over a library that is not. With an
   argument it leaks, which LeakSanitizer has to find. */
#include <gulch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 20, ROUNDS = 200 };

static gch_chan *never;
static volatile int sink;

/* Locals whose addresses are taken, so that they may be on a fake stack. */
__attribute__((noinline)) static int deep(int n, gch_chan *c) {
  char frame[100];
  int v = n;
  memset(frame, n, sizeof frame);
  sink = frame[n % 100];
  if (n > 0)
    return deep(n - 1, c) + (frame[0] == (char)n);
  gch_send(c, &v);
  gch_yield();
  return 0;
}

static void work(void *c) {
  for (int i = 0; i < ROUNDS; i++)
    if (deep(20, (gch_chan *)c) != 20)
      abort();
}

/* Parked when the process ends; what only its stack points to is no leak. */
static void park(void *ready) {
  char *mine[3];
  int i;
  for (i = 0; i < 3; i++)
    mine[i] = (char *)malloc(1000);
  memset(mine[0], 1, 1000);
  gch_send((gch_chan *)ready, &i);
  gch_recv(never, mine[2]);
  for (i = 0; i < 3; i++)
    free(mine[i]);
}

/* May not have begun by then. */
static void hold(void *mine) {
  gch_recv(never, (char *)mine);
  free(mine);
}

__attribute__((noinline)) static void leak(void) {
  char *lost = (char *)malloc(12345);
  memset(lost, 1, 12345);
  sink = lost[sink];
}

int main(int argc, char **argv) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = gch_make_of(int, 0);
  gch_maxprocs(4);
  for (int i = 0; i < TASKS; i++)
    gch_wg_go(&wg, work, c);
  for (int i = 0, v; i < TASKS * ROUNDS; i++)
    if (gch_recv(c, &v) != 0)
      return 1;
  gch_wg_wait(&wg);
  never = gch_make(1, 0);
  for (int i = 0; i < TASKS; i++)
    gch_go(park, c);
  (void)argv;
  for (int i = 0, v; i < TASKS; i++)
    gch_recv(c, &v);
  if (argc > 1)
    leak();
  for (int i = 0; i < TASKS; i++)
    gch_go(hold, malloc(10));
  return 0;
}
