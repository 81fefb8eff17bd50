/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels in another library's loop: libuv's. Two tasks send, each on a
 * channel of its own; one readyfd watches both, and says by a tag which of them
 * has something. The loop's own timer goes on beside that.
 *
 *     for n := range primes { … }; for n := range squares { … }
 */
#include "example.h"

#include <uv.h>

enum { COUNT = 5, CHANNELS = 2 };

struct source {
  const char *name;
  gch_chan *values; /* of int; closed after the last */
  int (*next)(int);
};

struct watch {
  gch_readyfd *ready;
  int open; /* channels */
  uv_poll_t poll;
  uv_timer_t timer;
};

static int next_square(int n) {
  int root = 1;
  while (root * root <= n)
    root++;
  return root * root;
}

static bool is_prime(int n) {
  for (int i = 2; i * i <= n; i++)
    if (n % i == 0)
      return false;
  return n > 1;
}

static int next_prime(int n) {
  do
    n++;
  while (!is_prime(n));
  return n;
}

static void generate(void *arg) {
  struct source *s = arg;
  for (int i = 0, n = 0; i < COUNT; i++) {
    n = s->next(n);
    gch_send(s->values, &n);
  }
  gch_close(s->values);
}

static void stop(struct watch *w) {
  uv_close((uv_handle_t *)&w->poll, NULL);
  uv_close((uv_handle_t *)&w->timer, NULL);
}

/* One of each that has something, so that the loop comes to its other work. */
static void on_ready(uv_poll_t *poll, int status, int events) {
  struct watch *w = poll->data;
  void *ready[CHANNELS];
  (void)status;
  (void)events;
  size_t n = gch_readyfd_ready(w->ready, ready, CHANNELS);
  for (size_t i = 0; i < n; i++) {
    struct source *s = ready[i];
    int value, err = gch_try_recv(s->values, &value);
    if (err == 0) {
      printf("%s %d\n", s->name, value);
    } else if (err != EAGAIN) {
      gch_readyfd_remove(w->ready, s->values);
      if (--w->open == 0)
        stop(w);
    }
  }
}

static void on_tick(uv_timer_t *timer) {
  (void)timer; /* what else the program does */
}

static int start(struct watch *w, struct source *s) {
  int err = gch_readyfd_add(w->ready, s->values, GCH_CAN_RECV, s);
  if (!err)
    err = gch_go(generate, s);
  w->open += !err;
  return err;
}

/* A plain main: the loop blocks its thread, and does nothing else. */
int main(void) {
  struct watch w = {.ready = gch_readyfd_new()};
  GCH_AUTO gch_chan *primes = gch_make_of(int, 0);
  GCH_AUTO gch_chan *squares = gch_make_of(int, 0);
  struct source sources[CHANNELS] = {{"prime", primes, next_prime},
                                     {"square", squares, next_square}};
  if (!w.ready || !primes || !squares)
    return fail("cannot set up", ENOMEM);
  uv_poll_init(uv_default_loop(), &w.poll, gch_readyfd_fd(w.ready));
  uv_timer_init(uv_default_loop(), &w.timer);
  w.poll.data = &w;
  uv_poll_start(&w.poll, UV_READABLE, on_ready);
  uv_timer_start(&w.timer, on_tick, 1, 1);
  for (int i = 0; i < CHANNELS; i++) {
    int err = start(&w, &sources[i]);
    if (err)
      return fail("cannot start", err);
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  uv_loop_close(uv_default_loop());
  gch_readyfd_free(w.ready);
  return 0;
}
