/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a context was made, from the root down. The pieces are found from the
 * leaf up: one walk adds up their lengths, a second puts each at its place.
 */
#include "context/impl.h"
#include "park/clock.h"
#include "park/strict.h"

#include <inttypes.h>
#include <stdio.h>

/* Longest piece: ".WithValue(0x…, 0x…)". */
enum { PIECE_MAX = 80 };

/* Seconds, as Go prints them but without its smaller units: "1.5s". */
static void print_seconds(char *buf, size_t len, double ns) {
  int n = snprintf(buf, len, "%.9f", ns / 1e9);
  while (n > 1 && buf[n - 1] == '0')
    n--;
  if (buf[n - 1] == '.')
    n--;
  buf[n++] = 's';
  buf[n] = '\0';
}

static size_t print_cancel(const struct gch_cancel_ctx *c, char *buf,
                           int64_t now) {
  char left[40];
  if (c->hook)
    return (size_t)snprintf(buf, PIECE_MAX, ".NotifyContext");
  if (!c->has_deadline)
    return (size_t)snprintf(buf, PIECE_MAX, ".WithCancel");
  int64_t deadline = gch__as_timed(&c->base)->deadline;
  print_seconds(left, sizeof left - 2, (double)deadline - (double)now);
  return (size_t)snprintf(buf, PIECE_MAX, ".WithDeadline(%" PRId64 " [%s])",
                          deadline, left);
}

static size_t print_piece(const gch_ctx *ctx, char *buf, int64_t now) {
  switch (ctx->kind) {
  case GCH_CTX_ROOT:
    return (size_t)snprintf(buf, PIECE_MAX, "context.%s",
                            ctx == gch_ctx_todo() ? "TODO" : "Background");
  case GCH_CTX_CANCEL:
    return print_cancel(gch__as_cancel(ctx), buf, now);
  case GCH_CTX_VALUE:
    return (size_t)snprintf(buf, PIECE_MAX, ".WithValue(%p, %p)",
                            gch__as_value(ctx)->key, gch__as_value(ctx)->value);
  case GCH_CTX_DETACHED:
    return (size_t)snprintf(buf, PIECE_MAX, ".WithoutCancel");
  case GCH_CTX_CUSTOM:
    break;
  }
  return (size_t)snprintf(buf, PIECE_MAX, ".Custom");
}

/* The part of a piece that begins at byte at and fits into len. */
static void place(char *buf, size_t len, size_t at, const char *piece,
                  size_t n) {
  if (at >= len)
    return;
  memcpy(buf + at, piece, n < len - at ? n : len - at);
}

size_t gch_ctx_string(const gch_ctx *ctx, char *buf, size_t len) {
  char piece[PIECE_MAX];
  size_t total = 0;
  int64_t now = gch__now();
  if (!ctx)
    gch_panic("gulch: NULL context");
  for (const gch_ctx *p = ctx; p; p = p->parent)
    total += print_piece(p, piece, now);
  if (len == 0)
    return total;
  size_t at = total;
  for (const gch_ctx *p = ctx; p; p = p->parent) {
    size_t n = print_piece(p, piece, now);
    at -= n;
    place(buf, len - 1, at, piece, n);
  }
  buf[total < len ? total : len - 1] = '\0';
  return total;
}
