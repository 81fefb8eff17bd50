/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several values in one struct: one context, one lookup, and a type that the
 * compiler checks, where three contexts with a value each would give neither.
 *
 *     type request struct{ user, locale string; id int }
 *     type requestKey struct{}
 *
 *     func withRequest(ctx context.Context, r *request) context.Context {
 *         return context.WithValue(ctx, requestKey{}, r)
 *     }
 *     func requestOf(ctx context.Context) *request {
 *         r, _ := ctx.Value(requestKey{}).(*request)
 *         return r
 *     }
 */
#include "example.h"

struct request {
  int id;
  char user[16];
  char locale[8];
};

static char request_key;

/* The context owns its copy. NULL: no memory. */
static const gch_ctx *with_request(const gch_ctx *parent, struct request r) {
  struct request *copy = malloc(sizeof *copy);
  if (!copy)
    return NULL;
  *copy = r;
  const gch_ctx *ctx =
      gch_ctx_with_value_drop(parent, &request_key, copy, free);
  if (!ctx)
    free(copy);
  return ctx;
}

static const struct request *request_of(const gch_ctx *ctx) {
  return gch_ctx_value(ctx, &request_key);
}

static void greet(const gch_ctx *ctx) {
  const struct request *r = request_of(ctx);
  if (r)
    printf("request %d: hello %s (%s)\n", r->id, r->user, r->locale);
  else
    puts("no request");
}

GCH_MAIN(argc, argv) {
  GCH_CTX_UNREF_AUTO const gch_ctx *ann =
      with_request(gch_ctx_background(),
                   (struct request){.id = 7, .user = "ann", .locale = "de_AT"});
  if (!ann)
    return fail("with_request", ENOMEM);
  /* What is derived sees the same values. */
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(ann);
  if (!child)
    return fail("gch_ctx_with_cancel", ENOMEM);

  greet(gch_ctx_background());
  greet(ann);
  greet(child);
  return 0;
}
