/* SPDX-License-Identifier: BSD-3-Clause */
/* The echo rows' talking by gulch: a task for each end. */
#include "edge_gulch.h"
#include "io_echo.h"

static gch_wg all = GCH_WG_INIT;

static void client(void *arg) {
  struct echo_pair *p = arg;
  struct echo *e = p->echo;
  char buf[ECHO_MOST] = {0};
  while (!echo_is_over(e)) {
    int64_t left = echo_leave(p);
    gch_must(gch_io_write(p->client, buf, e->size, NULL));
    gch_must(gch_io_read_full(p->client, buf, e->size, NULL));
    echo_back(p, left);
  }
  gch_io_close(p->client);
}

static void server(void *arg) {
  const struct echo_pair *p = arg;
  char buf[ECHO_MOST];
  size_t n;
  while (gch_io_read(p->server, buf, sizeof buf, &n) == 0 && n > 0)
    gch_must(gch_io_write(p->server, buf, n, NULL));
  gch_io_close(p->server);
}

static void compute(void *arg) {
  while (!echo_is_over(arg))
    edge_spin(20 * US);
}

void echo_start(struct echo *e) {
  for (long i = 0; i < e->n; i++) {
    struct echo_pair *p = &e->pair[i];
    gch_must(gch_io_adopt(p->client));
    gch_must(gch_io_adopt(p->server));
    gch_must(gch_wg_go(&all, server, p));
    gch_must(gch_wg_go(&all, client, p));
  }
  for (int i = 0; e->computing && i < ECHO_COMPUTING; i++)
    gch_must(gch_wg_go(&all, compute, e));
}

void echo_stop(struct echo *e) {
  (void)e;
  gch_wg_wait(&all);
}
