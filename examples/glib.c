/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels in another library's loop: GLib's, as in a program with a window. A
 * task computes and sends what it found; the loop's thread, which must never
 * block, takes it when the loop says that there is something.
 *
 *     for step := range steps { label.SetText(step) }   // in a goroutine;
 *         // and the toolkit's own way to get back into its thread
 */
#include "example.h"

#include <glib-unix.h>
#include <glib.h>

enum { STEPS = 5 };

struct window {
  gch_readyfd *ready;
  gch_chan *steps; /* of int; closed after the last */
  GMainLoop *loop;
};

static void compute(void *arg) {
  gch_chan *steps = arg;
  for (int i = 1; i <= STEPS; i++) {
    gch_sleep(GCH_MILLISECOND);
    gch_send(steps, &i);
  }
  gch_close(steps);
}

/* Takes all that there is, and then returns to the loop. */
static gboolean on_ready(gint fd, GIOCondition condition, gpointer arg) {
  struct window *w = arg;
  int step, err;
  (void)fd;
  (void)condition;
  while ((err = gch_try_recv(w->steps, &step)) == 0)
    printf("step %d of %d\n", step, STEPS);
  if (err == EAGAIN)
    return G_SOURCE_CONTINUE;
  puts("done");
  g_main_loop_quit(w->loop);
  return G_SOURCE_REMOVE;
}

static int run(gch_readyfd *ready, gch_chan *steps) {
  struct window w = {ready, steps, g_main_loop_new(NULL, FALSE)};
  int err = gch_readyfd_add(ready, steps, GCH_CAN_RECV, NULL);
  if (!err)
    err = gch_go(compute, steps);
  if (!err) {
    g_unix_fd_add(gch_readyfd_fd(ready), G_IO_IN, on_ready, &w);
    g_main_loop_run(w.loop);
  }
  g_main_loop_unref(w.loop);
  return err;
}

/* A plain main: the loop blocks its thread, and does nothing else. */
int main(void) {
  GCH_AUTO gch_chan *steps = gch_make_of(int, 0);
  gch_readyfd *ready = gch_readyfd_new();
  int err = steps && ready ? run(ready, steps) : ENOMEM;
  gch_readyfd_free(ready);
  return err ? fail("cannot set up", err) : 0;
}
