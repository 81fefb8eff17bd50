/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For fail_malloc.sh: uses every constructor and feature of the library, under
 * failing allocations and failing threads. A constructor that fails gives NULL
 * with ENOMEM, a function that fails ENOMEM; whatever fails leaves all as it
 * was, so the rest is done all the same, and all is freed.
 *
 * Ends with 0 if nothing failed, 1 if something did, and aborts when something
 * went wrong. No Check here: it does not survive a failing allocation.
 */
#define _GNU_SOURCE
#include "own_ctx.h"

#include <gulch.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define must(x) ((x) ? (void)0 : wrong(#x, __LINE__))

static _Noreturn void wrong(const char *what, int line) {
  fprintf(stderr, "fail_malloc_driver.c:%d: %s\n", line, what);
  abort();
}

static int failures;

/* A function's result: whether it worked. */
static bool worked(int err) {
  must(err == 0 || err == ENOMEM);
  failures += err != 0;
  return err == 0;
}

/* A constructor's result: whether there is one. */
static bool made(const void *p) {
  return worked(p ? 0 : errno) && p;
}

GCH_CHAN_TYPE(ints, int)

/* Channels. Nothing but make allocates: where the preload is there to count,
   it is asked. */

long fail_malloc_calls(void) __attribute__((weak));

static long allocations(void) {
  return fail_malloc_calls ? fail_malloc_calls() : 0;
}

static void use_channels(gch_chan *c, gch_chan *d) {
  int v = 1;
  long before = allocations();
  gch_set_name(c, "numbers");
  must(gch_send(c, &v) == 0 && gch_try_send(c, &v) == 0);
  must(gch_try_send(c, &v) == EAGAIN);
  must(gch_send_until(c, &v, gch_now() + 1000) == ETIMEDOUT);
  must(gch_recv_until(d, &v, gch_now() + 1000) == ETIMEDOUT);
  must(gch_select(GCH_RECV(d, &v), GCH_TIMEOUT(1000)) == 1);
  must(gch_select(GCH_RECV(d, &v), GCH_SEND(c, &v), GCH_DEFAULT) == 2);
  must(gch_select(GCH_RECV(d, &v), GCH_RECV(c, &v)) == 1);
  must(gch_select_ordered(GCH_RECV(c, &v), GCH_DEFAULT) == 0);
  must(gch_close(c) == 0 && gch_recv(c, &v) == EPIPE);
  must(allocations() == before);
}

static void channels(void) {
  gch_chan *c = gch_make_of(int, 2), *d = gch_make_of(int, 0);
  ints t = ints_make(1);
  int v = 0;
  bool have_c = made(c), have_d = made(d);
  if (have_c && have_d)
    use_channels(c, d);
  if (made(t.c))
    must(ints_send(t, 7) == 0 && ints_recv(t, &v) == 0 && v == 7);
  ints_unref(t);
  gch_unref(d);
  gch_unref(c);
}

static void drop_int(void *elem) {
  ++**(int **)elem;
}

static void drops(void) {
  int dropped = 0, *p = &dropped;
  gch_chan *c = gch_make_of(int *, 2);
  if (!made(c))
    return;
  must(gch_set_drop(c, drop_int) == 0);
  must(gch_send(c, &p) == 0 && gch_send(c, &p) == 0);
  must(gch_recv(c, NULL) == 0);
  gch_unref(c);
  must(dropped == 2);
}

/* Contexts */

static void cancel_and_check(const gch_ctx *parent, gch_ctx *ctx) {
  if (!made(ctx))
    return;
  must(gch_ctx_err(ctx) == 0);
  gch_ctx_cancel_cause(ctx, EDOM);
  must(gch_ctx_err(ctx) == ECANCELED && gch_ctx_cause(ctx) == EDOM);
  must(gch_ctx_err(parent) == 0);
  gch_ctx_unref(ctx);
}

static void contexts(void) {
  const gch_ctx *bg = gch_ctx_background();
  gch_ctx *top = gch_ctx_with_cancel(bg);
  if (!made(top))
    return;
  cancel_and_check(top, gch_ctx_with_cancel(top));
  cancel_and_check(top, gch_ctx_with_timeout(top, GCH_HOUR));
  cancel_and_check(top, gch_ctx_with_deadline(top, gch_now() + GCH_HOUR));
  cancel_and_check(top, gch_ctx_with_timeout_cause(top, GCH_HOUR, EDOM));
  gch_ctx *timed = gch_ctx_with_timeout(top, 1000);
  if (made(timed)) {
    must(gch_recv(gch_ctx_done(timed), NULL) == EPIPE);
    must(gch_ctx_err(timed) == ETIMEDOUT);
  }
  gch_ctx_end(timed);
  gch_ctx *child = gch_ctx_with_timeout(top, GCH_HOUR);
  bool have = made(child);
  gch_ctx_end(top);
  must(!have || gch_ctx_err(child) == ECANCELED);
  gch_ctx_unref(child);
}

static void count_drop(void *value) {
  ++*(int *)value;
}

static void values(void) {
  static const int key;
  int dropped = 0;
  const gch_ctx *v = gch_ctx_with_value(gch_ctx_background(), &key, &key);
  if (!made(v))
    return;
  must(gch_ctx_value(v, &key) == &key);
  const gch_ctx *w = gch_ctx_with_value_drop(v, &key, &dropped, count_drop);
  bool have = made(w);
  must(dropped == 0);
  const gch_ctx *d = gch_ctx_without_cancel(v);
  if (made(d))
    must(gch_ctx_value(d, &key) == &key && !gch_ctx_done(d));
  gch_ctx_unref(d);
  gch_ctx_unref(w);
  must(dropped == have);
  gch_ctx_unref(v);
}

static void custom(void) {
  static const gch_ctx_ops ops = {
      .done = own_done, .err = own_err, .drop = own_drop};
  struct own own = {.done = gch_make(0, 0)};
  if (!made(own.done))
    return;
  const gch_ctx *ctx = gch_ctx_custom(gch_ctx_background(), &ops, &own);
  bool have = made(ctx);
  if (have) {
    gch_ctx *child = gch_ctx_with_cancel(ctx);
    bool have_child = made(child);
    atomic_store(&own.err, ECANCELED);
    must(gch_close(own.done) == 0);
    must(!have_child || gch_ctx_err(child) == ECANCELED);
    gch_ctx_unref(child);
    gch_ctx_unref(ctx);
  }
  must(own.drops == have);
  gch_unref(own.done);
}

/* What is registered runs, even where no thread can be started then. */
static void done(void *wg) {
  gch_wg_done(wg);
}

static void after_funcs(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  if (!made(ctx))
    return;
  gch_after_func *a = gch_ctx_after_func(ctx, done, &wg);
  gch_after_func *b = gch_ctx_after_func(ctx, done, &wg);
  bool have_a = made(a), have_b = made(b);
  must(!have_b || gch_after_func_stop(b));
  gch_wg_add(&wg, have_a);
  gch_ctx_cancel(ctx);
  gch_wg_wait(&wg);
  must(!gch_after_func_stop(a));
  gch_wg_add(&wg, 1);
  a = gch_ctx_after_func(ctx, done, &wg);
  if (!made(a))
    gch_wg_done(&wg);
  gch_after_func_release(a);
  gch_wg_wait(&wg);
  gch_ctx_unref(ctx);
}

static void ctx_operations(void) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), 100000);
  gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  bool have = made(ctx), have_c = made(c);
  if (have && have_c) {
    bool none = false; /* a thread may be started at the same time, once */
    for (int i = 0; i < 10 && !none; i++) {
      long before = allocations();
      must(gch_send_ctx(ctx, c, &v) == ETIMEDOUT);
      must(gch_recv_ctx(ctx, c, &v) == ETIMEDOUT);
      must(gch_sleep_ctx(ctx, 1000) == ETIMEDOUT);
      none = allocations() == before;
    }
    must(none);
  }
  gch_unref(c);
  gch_ctx_end(ctx);
}

/* Timers */

static void timers(void) {
  int64_t when;
  gch_timer *t = gch_timer_new(1000);
  if (made(t)) {
    must(gch_recv(gch_timer_chan(t), &when) == 0);
    must(!gch_timer_reset(t, GCH_HOUR) && gch_timer_stop(t));
  }
  gch_timer_free(t);
  gch_chan *c = gch_after(1000);
  if (made(c))
    must(gch_recv(c, &when) == 0);
  gch_unref(c);
  gch_ticker *k = gch_ticker_new(1000);
  if (made(k))
    must(gch_recv(gch_ticker_chan(k), &when) == 0 &&
         gch_ticker_reset(k, GCH_HOUR) == 0);
  gch_ticker_free(k);
}

static void timer_funcs(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  gch_timer *t = gch_timer_func(1000, done, &wg);
  if (!made(t))
    return;
  gch_wg_wait(&wg);
  gch_wg_add(&wg, 1);
  must(!gch_timer_reset(t, 0));
  gch_wg_wait(&wg);
  must(!gch_timer_free(t));
}

/* Tasks and groups */

static void send_seven(void *arg) {
  gch_chan *c = arg;
  gch_send(c, &(int){7});
  gch_unref(c);
}

static void send_copied(void *arg) {
  send_seven(*(gch_chan **)arg);
}

/* err: whether the task was started. */
static void receive_seven(gch_chan *c, int err) {
  int v = 0;
  if (worked(err))
    must(gch_recv(c, &v) == 0 && v == 7);
  else
    gch_unref(c); /* the task's */
}

static int seven(void *arg) {
  (void)arg;
  return 7;
}

static void tasks(void) {
  gch_chan *c = gch_make_of(int, 0);
  gch_go_opts opts = {.name = "driver", .stack_size = 1, .thread = true};
  if (!made(c))
    return;
  receive_seven(c, gch_go(send_seven, gch_ref(c)));
  gch_ref(c);
  receive_seven(c, gch_go_copy(send_copied, &c, sizeof c));
  receive_seven(c, gch_go_with(&opts, send_seven, gch_ref(c)));
  int result = gch_run(seven, NULL);
  must(result == 7 || result == ENOMEM);
  gch_unref(c);
}

/* What was set before a set that fails stays. */
static int use_keys(void *unused) {
  enum { KEYS = 20 };
  gch_key *all[KEYS];
  bool set[KEYS] = {false};
  for (int i = 0; i < KEYS; i++)
    if (made(all[i] = gch_key_new(NULL)))
      set[i] = worked(gch_key_set(all[i], &all[i]));
  for (int i = 0; i < KEYS; i++) {
    must(gch_key_get(all[i]) == (set[i] ? &all[i] : NULL));
    gch_key_free(all[i]);
  }
  (void)unused;
  return 0;
}

static void keys(void) {
  worked(gch_run(use_keys, NULL));
}

static void add_one(void *arg) {
  atomic_fetch_add((_Atomic int *)arg, 1);
}

static void wait_groups(void) {
  gch_wg wg = GCH_WG_INIT;
  _Atomic int ran = 0;
  int started = 0;
  for (int i = 0; i < 3; i++)
    started += worked(gch_wg_go(&wg, add_one, &ran));
  gch_wg_wait(&wg);
  must(atomic_load(&ran) == started);
}

static int run_in_group(const gch_ctx *ctx, void *arg) {
  add_one(arg);
  return ctx == NULL;
}

static void fill_group(gch_errgroup *g) {
  _Atomic int ran = 0;
  int started = 0;
  worked(gch_errgroup_set_limit(g, 1));
  for (int i = 0; i < 3; i++)
    started += worked(gch_errgroup_go(g, run_in_group, &ran));
  must(gch_errgroup_wait(g) == 0 && atomic_load(&ran) == started);
  if (worked(gch_errgroup_set_limit(g, 0)))
    must(gch_errgroup_try_go(g, run_in_group, &ran) == EAGAIN);
  gch_errgroup_free(g);
}

static void error_groups(void) {
  gch_errgroup *g = gch_errgroup_new();
  if (made(g))
    fill_group(g);
  g = gch_errgroup_with_ctx(gch_ctx_background());
  if (made(g))
    fill_group(g);
}

/* Signals: after a failure the disposition is as it was. */

static bool is_ignored(int sig) {
  struct sigaction now;
  must(sigaction(sig, NULL, &now) == 0);
  return now.sa_handler == SIG_IGN;
}

static void signals(void) {
  const int sig = SIGUSR1;
  int got = 0;
  signal(sig, SIG_IGN);
  gch_chan *c = gch_make_of(int, 1);
  if (made(c)) {
    bool listens = worked(gch_signal_notify(c, &sig, 1));
    must(is_ignored(sig) == !listens);
    raise(sig);
    must(!listens || (gch_recv(c, &got) == 0 && got == sig));
    gch_signal_stop(c);
    must(is_ignored(sig));
  }
  gch_unref(c);
  gch_ctx *ctx = gch_signal_notify_ctx(gch_ctx_background(), &sig, 1);
  must(is_ignored(sig) == !ctx);
  if (made(ctx)) {
    raise(sig);
    must(gch_recv(gch_ctx_done(ctx), NULL) == EPIPE);
  }
  gch_ctx_end(ctx);
  must(is_ignored(sig));
}

int main(void) {
  static void (*const features[])(void) = {
      channels,    drops,        contexts,    values, custom,
      after_funcs, timers,       timer_funcs, tasks,  ctx_operations,
      wait_groups, error_groups, signals,     keys};
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
      errno = EILSEQ;
      features[i]();
    }
  return failures > 0;
}
