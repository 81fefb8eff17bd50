/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels made, named, counted and freed. */
#include "chan/gone.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

/* Where the slots lie behind a channel, so that they suit elements of any
   type. */
enum {
  SLOTS_AT = (sizeof(gch_chan) + alignof(max_align_t) - 1) /
             alignof(max_align_t) * alignof(max_align_t)
};

void gch__chan_init(gch_chan *c, size_t elem_size, size_t cap, void *slots,
                    enum gch_owner owner, void (*destroy)(gch_chan *)) {
  memset(c, 0, sizeof *c);
  atomic_init(&c->refs, 1);
  c->elem_size = elem_size;
  c->cap = cap;
  c->slots = slots;
  c->owner = (uint8_t)owner;
  c->destroy = destroy;
  gch__list(c);
}

static void free_chan(gch_chan *c) {
  gch__bury(c, 0, SLOTS_AT + c->elem_size * c->cap);
}

gch_chan *gch_make(size_t elem_size, size_t cap) {
  size_t room, size;
  if (__builtin_mul_overflow(elem_size, cap, &room) ||
      __builtin_add_overflow(room, (size_t)SLOTS_AT, &size) ||
      elem_size > PTRDIFF_MAX || cap > PTRDIFF_MAX || size > PTRDIFF_MAX) {
    gch__go_panics(EINVAL, EINVAL, "makechan: size out of range");
    errno = EINVAL;
    return NULL;
  }
  gch_chan *c = malloc(size);
  if (!c) {
    errno = ENOMEM;
    return NULL;
  }
  gch__chan_init(c, elem_size, cap, (char *)c + SLOTS_AT, GCH_OWNER_NONE,
                 free_chan);
  return c;
}

gch_chan *gch_ref(gch_chan *c) {
  /* Relaxed: the caller's own reference keeps c alive. */
  if (c && atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed) == 0)
    gch_panic("gulch: reference to a channel that was freed");
  return c;
}

static void drop_rest(gch_chan *c) {
  size_t at = gch__head(c);
  for (size_t n = gch__len(c); n > 0; n--) {
    c->drop(c->slots + at * c->elem_size);
    at = at + 1 == c->cap ? 0 : at + 1;
  }
}

/* The reference that there must not be, or not yet, goes back first: the
   panic's hook may use c. */
_Noreturn static void panic(gch_chan *c, uint32_t refs) {
  atomic_store_explicit(&c->refs, refs, memory_order_relaxed);
  if (refs == 0)
    gch_panic("gulch: unref of a channel that was freed");
  if (c->owner != GCH_OWNER_NONE && !c->disowned)
    gch_panic("gulch: unref of a borrowed channel");
  gch__panic_parked(c);
}

/* Whether the last reference must not go. */
static bool is_needed(const gch_chan *c) {
  return (c->owner != GCH_OWNER_NONE && !c->disowned) ||
         gch__queue_first(&c->senders) || gch__queue_first(&c->receivers);
}

void gch_unref(gch_chan *c) {
  if (!c)
    return;
  /* Release: what this thread did to c is before its end; acquire in the last
     one: so is what all others did. Who has the only reference is alone, and
     needs no atomic step. */
  uint32_t refs = atomic_load_explicit(&c->refs, memory_order_acquire);
  if (refs == 1)
    atomic_store_explicit(&c->refs, 0, memory_order_relaxed);
  else
    refs = atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel);
  if (refs > 1)
    return;
  if (refs == 0 || is_needed(c))
    panic(c, refs);
  if (c->drop)
    drop_rest(c);
  gch__unlist(c);
  c->destroy(c);
}

void gch__chan_disown(gch_chan *c) {
  c->disowned = true;
  gch_unref(c);
}

void gch_set_name(gch_chan *c, const char *name) {
  if (!c)
    return;
  gch__lock(&c->lock);
  strncpy(c->name, name ? name : "", sizeof c->name - 1);
  gch__unlock(&c->lock);
}

int gch_set_drop(gch_chan *c, void (*drop)(void *elem)) {
  if (!c || !drop || c->elem_size > GCH_DROP_MAX)
    return EINVAL;
  if (c->owner != GCH_OWNER_NONE)
    return EPERM;
  c->drop = drop;
  return 0;
}

bool gch_closed(const gch_chan *c) {
  return c && gch__is_closed(c);
}

size_t gch_len(const gch_chan *c) {
  return c ? gch__len(c) : 0;
}

size_t gch_cap(const gch_chan *c) {
  return c ? c->cap : 0;
}
