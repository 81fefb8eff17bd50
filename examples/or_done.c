/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two small tools for channels that say "stop" by being closed: or makes one
 * of many, by a select that is built at run time; or_done reads values until
 * there are no more, or until the stop.
 *
 *     func or(done ...<-chan struct{}) <-chan struct{} {
 *         out := make(chan struct{})
 *         go func() {
 *             defer close(out)
 *             var cases []reflect.SelectCase
 *             for _, d := range done {
 *                 cases = append(cases, reflect.SelectCase{
 *                     Dir: reflect.SelectRecv, Chan: reflect.ValueOf(d)})
 *             }
 *             reflect.Select(cases)
 *         }()
 *         return out
 *     }
 *
 *     func orDone(done <-chan struct{}, c <-chan int) (int, bool) {
 *         select {
 *         case <-done:
 *             return 0, false
 *         case v, ok := <-c:
 *             return v, ok
 *         }
 *     }
 */
#include "example.h"

enum { SOURCES = 3 };

struct or_task {
  gch_chan *source[SOURCES];
  gch_chan *out;
};

static void or_run(void *arg) {
  struct or_task *o = arg;
  gch_case cases[SOURCES];
  for (int i = 0; i < SOURCES; i++)
    cases[i] = GCH_RECV(o->source[i], NULL);
  gch_select_cases(cases, SOURCES);
  gch_close(o->out);
}

/* Ordered: once done is closed no value is taken any more. */
static bool or_done(gch_chan *done, gch_chan *c, int *v) {
  int err = 0;
  int fired =
      gch_select_ordered(GCH_RECV(done, NULL), GCH_RECV_ERR(c, v, &err));
  return fired == 1 && err == 0;
}

struct counter {
  gch_chan *done, *out;
};

static void count(void *arg) {
  struct counter *c = arg;
  for (int n = 1;
       gch_select(GCH_RECV(c->done, NULL), GCH_SEND(c->out, &n)) == 1; n++)
    ;
}

/* Reads five numbers, then closes the second source and reads on to the stop.
 */
static void read_numbers(const struct counter *c, const struct or_task *o) {
  int n;
  while (or_done(c->done, c->out, &n)) {
    if (n <= 5)
      printf("%d\n", n);
    if (n == 5)
      gch_close(o->source[1]);
  }
  puts("stopped");
}

GCH_MAIN(argc, argv) {
  GCH_AUTO gch_chan *stop = gch_make(0, 0);
  GCH_AUTO gch_chan *numbers = gch_make_of(int, 0);
  struct or_task o = {.out = stop};
  bool made = stop && numbers;
  for (int i = 0; i < SOURCES; i++)
    made &= (o.source[i] = gch_make(0, 0)) != NULL;

  gch_wg wg = GCH_WG_INIT;
  struct counter c = {.done = stop, .out = numbers};
  int err = made ? gch_wg_go(&wg, or_run, &o) : ENOMEM;
  if (!err) {
    err = gch_wg_go(&wg, count, &c);
    if (!err)
      read_numbers(&c, &o);
    gch_close(o.source[0]);
  }
  gch_wg_wait(&wg);
  for (int i = 0; i < SOURCES; i++)
    gch_unref(o.source[i]);
  return err ? fail("cannot start", err) : 0;
}
