/* SPDX-License-Identifier: BSD-3-Clause */
/* For plugin_host.c. */
#include <gulch.h>

#include <signal.h>

int no_thread(void);
int tasks(void);
int timer(void);
int thread(void);
int signals(void);
int value(void);

int no_thread(void) {
  int v = 7;
  gch_chan *c = gch_make_of(int, 1);
  gch_send(c, &v);
  v = gch_recv(c, &v) == 0 && v == 7 ? 0 : 1;
  gch_unref(c);
  return v;
}

static void done(void *wg) {
  gch_wg_done((gch_wg *)wg);
}

static int run_one(bool own_thread) {
  gch_wg wg = GCH_WG_INIT;
  gch_go_opts opts = {.thread = own_thread};
  gch_wg_add(&wg, 1);
  int err = gch_go_with(&opts, done, &wg);
  if (!err)
    gch_wg_wait(&wg);
  while (gch_num_tasks() > 0)
    gch_yield();
  return err;
}

int tasks(void) {
  return run_one(false);
}

int thread(void) {
  return run_one(true);
}

int timer(void) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  return t ? !gch_timer_free(t) : 1;
}

int signals(void) {
  int sig = SIGUSR1;
  gch_chan *c = gch_make_of(int, 1);
  int err = gch_signal_notify(c, &sig, 1);
  gch_signal_stop(c);
  gch_unref(c);
  return err;
}

/* Left to the end of the thread; a drop would be the plugin's, and be gone. */
int value(void) {
  static gch_key *key;
  if (!key)
    key = gch_key_new(NULL);
  return key ? gch_key_set(key, &key) : 1;
}
