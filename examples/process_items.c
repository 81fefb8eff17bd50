/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Items processed by tasks of their own, at most three at once: a buffered
 * channel is the semaphore. The first error is kept in a channel of one
 * element, and ends the rest.
 *
 *     func processItems(ctx context.Context, items []int) error {
 *         ctx, cancel := context.WithCancel(ctx)
 *         defer cancel()
 *         slots := make(chan struct{}, 3)
 *         firstError := make(chan error, 1)
 *         var wg sync.WaitGroup
 *         for _, item := range items {
 *             select {
 *             case slots <- struct{}{}:
 *             case <-ctx.Done():
 *                 continue
 *             }
 *             wg.Add(1)
 *             go func(item int) {
 *                 defer wg.Done()
 *                 defer func() { <-slots }()
 *                 if err := process(ctx, item); err != nil {
 *                     select {
 *                     case firstError <- err:
 *                         cancel()
 *                     default:
 *                     }
 *                 }
 *             }(item)
 *         }
 *         wg.Wait()
 *         select {
 *         case err := <-firstError:
 *             return err
 *         default:
 *             return ctx.Err()
 *         }
 *     }
 */
#include "example.h"

#include <stdatomic.h>

enum { ITEMS = 12, AT_ONCE = 3, BAD_ITEM = -1 };

struct batch {
  gch_ctx *ctx;
  gch_chan *slots;       /* a token for each task that runs */
  gch_chan *first_error; /* of int */
  atomic_int running;
  atomic_bool crowded; /* there were more than AT_ONCE */
};

struct task {
  struct batch *batch;
  int item;
};

static int process(struct batch *b, int item) {
  if (atomic_fetch_add(&b->running, 1) >= AT_ONCE)
    atomic_store(&b->crowded, true);
  gch_yield(); /* the work */
  atomic_fetch_sub(&b->running, 1);
  return item == BAD_ITEM ? EINVAL : gch_ctx_err(b->ctx);
}

static void report(struct batch *b, int err) {
  if (gch_try_send(b->first_error, &err) == 0)
    gch_ctx_cancel(b->ctx);
}

static void run(void *arg) {
  struct task *t = arg;
  int err = process(t->batch, t->item);
  if (err)
    report(t->batch, err);
  gch_recv(t->batch->slots, NULL);
}

static int process_items(const gch_ctx *parent, const int *items) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(parent);
  GCH_AUTO gch_chan *slots = gch_make(0, AT_ONCE);
  GCH_AUTO gch_chan *first_error = gch_make_of(int, 1);
  if (!ctx || !slots || !first_error)
    return ENOMEM;

  struct batch b = {.ctx = ctx, .slots = slots, .first_error = first_error};
  struct task tasks[ITEMS];
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < ITEMS && gch_send_ctx(ctx, slots, NULL) == 0; i++) {
    tasks[i] = (struct task){&b, items[i]};
    int err = gch_wg_go(&wg, run, &tasks[i]);
    if (err)
      report(&b, err);
  }
  gch_wg_wait(&wg);

  int err = gch_ctx_err(ctx);
  gch_try_recv(first_error, &err); /* leaves err alone where there is none */
  printf("never more than %d at once: %s\n", AT_ONCE,
         yes_no(!atomic_load(&b.crowded)));
  return err;
}

GCH_MAIN(argc, argv) {
  int items[ITEMS] = {0};
  int err = process_items(gch_ctx_background(), items);
  if (err)
    return fail("process_items", err);
  puts("all items processed");

  items[ITEMS / 2] = BAD_ITEM;
  err = process_items(gch_ctx_background(), items);
  if (err != EINVAL)
    return fail("process_items", err);
  printf("with a bad item: %s\n", gch_strerror(err));
  return 0;
}
