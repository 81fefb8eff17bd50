/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace id goes with a request through a chain of services: taken from its
 * header, or made where there is none; carried by the context inside a
 * service; put into the header of the request to the next.
 *
 *     func handle(h http.Header, name string, next []string) {
 *         trace := h.Get("X-Trace-Id")
 *         if trace == "" {
 *             trace = newTrace()
 *         }
 *         ctx := context.WithValue(context.Background(), traceKey, trace)
 *         work(ctx, name)
 *         if len(next) > 0 {
 *             out := http.Header{}
 *             out.Set("X-Trace-Id", ctx.Value(traceKey).(string))
 *             handle(out, next[0], next[1:])
 *         }
 *     }
 */
#include "example.h"

#include <string.h>

struct header {
  const char *name;
  const char *value;
}; /* a request's headers end with a NULL name */

static char trace_key;

static const char *header_get(const struct header *h, const char *name) {
  for (; h->name; h++)
    if (strcmp(h->name, name) == 0)
      return h->value;
  return NULL;
}

static const char *trace_of(const gch_ctx *ctx) {
  const char *trace = gch_ctx_value(ctx, &trace_key);
  return trace ? trace : "none";
}

/* ctx with a copy of the request's trace id, or with a new one. */
static const gch_ctx *with_trace(const gch_ctx *ctx, const struct header *h) {
  static int last = 0;
  char fresh[32];
  const char *trace = header_get(h, "X-Trace-Id");
  if (!trace) {
    snprintf(fresh, sizeof fresh, "made-%d", ++last);
    trace = fresh;
  }
  char *copy = strdup(trace);
  if (!copy)
    return NULL;
  const gch_ctx *traced = gch_ctx_with_value_drop(ctx, &trace_key, copy, free);
  if (!traced)
    free(copy);
  return traced;
}

static void work(const gch_ctx *ctx, const char *service) {
  printf("%s: trace %s\n", service, trace_of(ctx));
}

/* Serves a request, then calls the next of the services (a list that NULL
   ends). 0, or ENOMEM. */
static int handle(const struct header *h, const char *const *services) {
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = with_trace(gch_ctx_background(), h);
  if (!ctx)
    return ENOMEM;
  work(ctx, services[0]);
  if (!services[1])
    return 0;
  return handle((struct header[]){{"Accept", "text/plain"},
                                  {"X-Trace-Id", trace_of(ctx)},
                                  {NULL, NULL}},
                services + 1);
}

/* A plain main, not GCH_MAIN's: here is no task, and nobody to wait for, and
   contexts are the same in any thread. It spares the program the threads that
   run tasks. */
int main(void) {
  const char *const chain[] = {"gateway", "orders", "stock", NULL};
  int err = handle(
      (struct header[]){{"X-Trace-Id", "4bf92f3577b34da6"}, {NULL, NULL}},
      chain);
  if (!err)
    err = handle((struct header[]){{NULL, NULL}}, chain);
  return err ? fail("handle", err) : 0;
}
