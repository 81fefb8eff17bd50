/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Five contexts in a tree, each with a task that waits for its end. To cancel
 * node 1 ends 3, 4 and 5 too, but not 2.
 *
 *          background
 *            /    \
 *           1      2
 *          / \
 *         3   4
 *             |
 *             5
 *
 *     parent := []int{0, 0, 0, 1, 1, 4}
 *     ctx[0] = context.Background()
 *     for i := 1; i <= 5; i++ {
 *         ctx[i], cancel[i] = context.WithCancel(ctx[parent[i]])
 *         go func(i int) { <-ctx[i].Done(); ended <- i }(i)
 *     }
 *     cancel[1]()
 *     for i := 0; i < 4; i++ {
 *         stopped[<-ended] = true
 *     }
 */
#include "example.h"

enum { NODES = 5 };
static const int parent[NODES + 1] = {0, 0, 0, 1, 1, 4};

struct node {
  int number;
  gch_ctx *ctx;
  gch_chan *ended; /* of int: the numbers of those who have ended */
};

static void watch(void *arg) {
  struct node *n = arg;
  gch_recv(gch_ctx_done(n->ctx), NULL);
  gch_send(n->ended, &n->number);
}

static void cancel_and_report(struct node *node, gch_chan *ended) {
  bool stopped[NODES + 1] = {false};
  gch_ctx_cancel(node[1].ctx);
  for (int i = 0; i < 4; i++) {
    int number;
    gch_recv(ended, &number);
    stopped[number] = true;
  }
  for (int i = 1; i <= NODES; i++)
    printf("node %d: %s\n", i,
           stopped[i] ? gch_strerror(gch_ctx_err(node[i].ctx)) : "runs");
}

/* The tree and its tasks; on an error what there is stays for the caller. */
static int grow(struct node *node, gch_chan *ended, gch_wg *wg) {
  for (int i = 1; i <= NODES; i++) {
    const gch_ctx *up = parent[i] ? node[parent[i]].ctx : gch_ctx_background();
    node[i] = (struct node){i, gch_ctx_with_cancel(up), ended};
    if (!node[i].ctx)
      return errno;
    int err = gch_wg_go(wg, watch, &node[i]);
    if (err)
      return err;
  }
  return 0;
}

GCH_MAIN(argc, argv) {
  GCH_AUTO gch_chan *ended = gch_make_of(int, NODES);
  if (!ended)
    return fail("gch_make", errno);

  struct node node[NODES + 1] = {{0}};
  gch_wg wg = GCH_WG_INIT;
  int err = grow(node, ended, &wg);
  if (!err)
    cancel_and_report(node, ended);

  for (int i = 1; i <= NODES; i++)
    if (node[i].ctx)
      gch_ctx_cancel(node[i].ctx);
  gch_wg_wait(&wg);
  for (int i = 1; i <= NODES; i++)
    gch_ctx_end(node[i].ctx);
  return err ? fail("cannot build the tree", err) : 0;
}
