/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace id goes with a request from server to server: taken from its header,
 * or made where there is none; carried by the context inside a server; put into
 * the header of the request to the next. (trace_header.c is the same without
 * the servers.)
 *
 *     examples/trace NAME ADDRESS [NEXT]
 *
 *     func handle(w http.ResponseWriter, r *http.Request) {
 *         trace := r.Header.Get("X-Trace-Id")
 *         if !valid(trace) {
 *             trace = newTrace()
 *         }
 *         ctx := context.WithValue(r.Context(), traceKey, trace)
 *         w.Header().Set("X-Trace-Id", trace)
 *         work(ctx, w)
 *         if next != "" {
 *             req, _ := http.NewRequestWithContext(ctx, "GET", next, nil)
 *             req.Header.Set("X-Trace-Id", ctx.Value(traceKey).(string))
 *             …
 *         }
 *     }
 */
#include "example.h"
#include "http.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

enum { TRACE_MAX = 64, BODY_MAX = 4096 };

struct server {
  const char *name, *next; /* NULL: it is the last */
};

static char trace_key;

static const char *trace_of(const gch_ctx *ctx) {
  return gch_ctx_value(ctx, &trace_key);
}

/* Whoever sends it is not trusted. */
static bool is_trace(const char *text) {
  size_t n = text ? strlen(text) : 0;
  return n > 0 && n <= TRACE_MAX &&
         strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == n;
}

static char *new_trace(void) {
  uint64_t number = 0;
  char *trace = malloc(TRACE_MAX + 1);
  if (trace && getrandom(&number, sizeof number, 0) == sizeof number)
    snprintf(trace, TRACE_MAX + 1, "%016" PRIx64, number);
  else if (trace)
    snprintf(trace, TRACE_MAX + 1, "at-%" PRId64, gch_now());
  return trace;
}

/* ctx with the request's trace id, or with a new one; NULL: no memory. */
static const gch_ctx *with_trace(const gch_ctx *ctx, const struct http *h) {
  const char *had = http_header(h, "X-Trace-Id");
  char *trace = is_trace(had) ? strdup(had) : new_trace();
  const gch_ctx *traced =
      trace ? gch_ctx_with_value_drop(ctx, &trace_key, trace, free) : NULL;
  if (!traced)
    free(trace);
  return traced;
}

/* What is done for a request, anywhere below: it knows the id by ctx. */
static size_t work(const gch_ctx *ctx, const struct server *s, char *body) {
  printf("%s: trace %s\n", s->name, trace_of(ctx));
  return (size_t)snprintf(body, BODY_MAX, "%.64s: trace %s\n", s->name,
                          trace_of(ctx));
}

static const char *header_for(const gch_ctx *ctx, char text[TRACE_MAX + 16]) {
  snprintf(text, TRACE_MAX + 16, "X-Trace-Id: %s\r\n", trace_of(ctx));
  return text;
}

/* What the next one answers comes behind. */
static int ask_next(const gch_ctx *ctx, const char *next, char *to,
                    size_t room) {
  struct http h;
  char header[TRACE_MAX + 16];
  int err = http_get(ctx, next, "/", header_for(ctx, header), &h);
  if (err == 0 && h.parser.status_code != 200)
    err = EPROTO;
  if (err == 0 && (size_t)snprintf(to, room, "%s", h.body) >= room)
    err = EMSGSIZE;
  return err;
}

static void handle(const gch_ctx *parent, struct http *h, void *arg) {
  const struct server *s = arg;
  char body[BODY_MAX], header[TRACE_MAX + 16];
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = with_trace(parent, h);
  if (!ctx) {
    http_answer(parent, h, 503, "Service Unavailable", "", "");
    return;
  }
  size_t n = work(ctx, s, body);
  int err = s->next ? ask_next(ctx, s->next, body + n, BODY_MAX - n) : 0;
  if (err)
    http_answer(ctx, h, 502, "Bad Gateway", header_for(ctx, header), "");
  else
    http_answer(ctx, h, 200, "OK", header_for(ctx, header), body);
}

GCH_MAIN(argc, argv) {
  struct server s = {argc > 1 ? argv[1] : "server", argc > 3 ? argv[3] : NULL};
  return http_main(argc > 2 ? argv[2] : "localhost:0", handle, &s);
}
