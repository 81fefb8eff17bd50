/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What called the library is found as people do without unwind tables: the
 * first word on the stack that points into the code of somebody else, right
 * behind a call of the library, or else of something (that may have jumped to
 * it). There may be leftovers in frames of the library's, though those are
 * small.
 *
 * The library's code is an object of its own; or, linked statically, the part
 * of the program between the first of its public functions and the last, and
 * all that is called gch_. Of a program without symbols nobody can tell then.
 */
#include "debug/code.h"

#include "debug/peek.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 128, NAMED = 256, WORDS = 256 };

/* What is said of a place in code by what stands before it. */
enum kind {
  NO_RETURN,  /* no call: nothing returns here */
  FROM_OTHER, /* a call of something else, or of nobody knows what */
  FROM_OWN    /* a call of the library, or of what may lead there */
};

/* What has been found out about an address; many tasks are at the same. */
struct named {
  uintptr_t at; /* 0: nothing */
  uintptr_t inside;
  enum kind kind; /* of the program's code; NO_RETURN: the library's */
  bool has_name;
  char name[GCH_SYMBOL_MAX];
};

struct gch_code {
  size_t n;
  struct gch_object *own; /* in which the library is; NULL: not known */
  uintptr_t own_start, own_end;
  bool is_static;
  struct gch_object objects[OBJECTS];
  struct named named[NAMED];
};

/* Objects */

static int add(struct dl_phdr_info *info, size_t size, void *code) {
  struct gch_code *c = code;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum && c->n < OBJECTS; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
      continue;
    struct gch_object *o = &c->objects[c->n++];
    o->base = info->dlpi_addr;
    o->start = o->base + p->p_vaddr;
    o->end = o->start + p->p_memsz;
    const char *path = *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
    strncpy(o->path, path, sizeof o->path - 1);
  }
  return 0;
}

static struct gch_object *object_of(struct gch_code *c, uintptr_t at) {
  for (struct gch_object *o = c->objects; o < c->objects + c->n; o++)
    if (at >= o->start && at < o->end)
      return o;
  return NULL;
}

struct gch_code *gch__code_new(void) {
  struct gch_code *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  dl_iterate_phdr(add, c);
  c->own = object_of(c, (uintptr_t)&gch__code_new);
  if (!c->own)
    return c;
  c->own_start = c->own->start;
  c->own_end = c->own->end;
  c->is_static = strcmp(c->own->path, "/proc/self/exe") == 0;
  if (c->is_static) {
    gch__symbols_of_library(c->own, &c->own_start, &c->own_end);
    c->own_start += c->own->base;
    c->own_end += c->own->base;
  }
  return c;
}

void gch__code_free(struct gch_code *c) {
  for (size_t i = 0; c && i < c->n; i++)
    gch__symbols_free(&c->objects[i]);
  free(c);
}

/* Addresses */

#if defined(__x86_64__) || defined(__i386__)
/* The length that an indirect call of x86 has, by its second byte and third. */
static int indirect_length(unsigned modrm, unsigned sib) {
  unsigned mod = modrm >> 6, rm = modrm & 7;
  int length = 2 + (mod != 3 && rm == 4);
  if (mod == 1)
    length += 1;
  else if (mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))))
    length += 4;
  return length;
}
#endif

struct call {
  bool is_one;
  uintptr_t target; /* 0: not known */
};

/* The call that ends at at, of which b are the last eight bytes. */
static struct call call_before(const unsigned char b[8], uintptr_t at) {
#if defined(__x86_64__) || defined(__i386__)
  int32_t far;
  memcpy(&far, b + 4, sizeof far);
  if (b[3] == 0xe8)
    return (struct call){true, at + (uintptr_t)(intptr_t)far};
#if defined(__x86_64__)
  uintptr_t target;
  if (b[2] == 0xff && b[3] == 0x15 && /* through the global offset table */
      gch__peek(&target, (const void *)(at + (uintptr_t)(intptr_t)far),
                sizeof target))
    return (struct call){true, target};
#endif
  for (int n = 2; n <= 7; n++)
    if (b[8 - n] == 0xff && (b[9 - n] >> 3 & 7) == 2 &&
        indirect_length(b[9 - n], n > 2 ? b[10 - n] : 0) == n)
      return (struct call){true, 0};
  return (struct call){false, 0};
#elif defined(__aarch64__)
  uint32_t i;
  memcpy(&i, b + 4, sizeof i);
  if ((i & 0xfc000000) == 0x94000000)
    return (struct call){
        true, at - 4 + (uintptr_t)((intptr_t)((uint64_t)i << 38) >> 36)};
  return (struct call){
      (i & 0xfefff800) == 0xd63f0800 || (i & 0xfffffc1f) == 0xd63f0000, 0};
#else
  (void)b;
  (void)at;
  return (struct call){true, 0};
#endif
}

static bool is_own(struct gch_code *c, uintptr_t at, const struct named *n) {
  if (at >= c->own_start && at < c->own_end)
    return true;
  return c->is_static && object_of(c, at) == c->own &&
         (!n->has_name || (strncmp(n->name, "gch_", 4) == 0 &&
                           strncmp(n->name, "gch__main_", 10) != 0));
}

/* Code of an object that has no name is the table by which it calls others. */
static enum kind kind_of(struct gch_code *c, struct gch_object *o,
                         uintptr_t at) {
  unsigned char before[8];
  char name[GCH_SYMBOL_MAX];
  uintptr_t inside;
  if (!gch__peek(before, (const void *)(at - 8), sizeof before))
    return NO_RETURN;
  struct call call = call_before(before, at);
  if (!call.is_one)
    return NO_RETURN;
  if (call.target >= c->own_start && call.target < c->own_end)
    return FROM_OWN;
  return call.target == 0 || object_of(c, call.target) != o ||
                 gch__symbol(o, call.target - o->base, name, &inside)
             ? FROM_OTHER
             : FROM_OWN;
}

static struct named *look_up(struct gch_code *c, struct gch_object *o,
                             uintptr_t at) {
  struct named *n = &c->named[(at ^ at >> 8) % NAMED];
  if (n->at == at)
    return n;
  *n = (struct named){.at = at, .kind = NO_RETURN};
  n->has_name = gch__symbol(o, at - o->base, n->name, &n->inside);
  if (!is_own(c, at, n))
    n->kind = kind_of(c, o, at);
  return n;
}

const void *gch__caller_of_library(struct gch_code *c, const void *sp,
                                   const void *end) {
  uintptr_t words[WORDS], other = 0;
  size_t n = ((uintptr_t)end - (uintptr_t)sp) / sizeof *words;
  if (n > WORDS)
    n = WORDS;
  if (!c || (uintptr_t)sp >= (uintptr_t)end ||
      !gch__peek(words, sp, n * sizeof *words))
    return NULL;
  for (size_t i = 0; i < n; i++) {
    struct gch_object *o = object_of(c, words[i]);
    enum kind kind = o ? look_up(c, o, words[i])->kind : NO_RETURN;
    if (kind == FROM_OWN)
      return (const void *)words[i];
    if (kind == FROM_OTHER && other == 0)
      other = words[i];
  }
  return (const void *)other;
}

/* Printing */

static const char *file_name(const struct gch_object *o) {
  const char *slash = strrchr(o->path, '/');
  if (strcmp(o->path, "/proc/self/exe") == 0)
    return program_invocation_short_name;
  return slash ? slash + 1 : o->path;
}

void gch__print_place(FILE *out, struct gch_code *c, const void *place) {
  uintptr_t at = (uintptr_t)place;
  struct gch_object *o = c ? object_of(c, at) : NULL;
  const struct named *n = o ? look_up(c, o, at) : NULL;
  if (!place)
    fputs("?", out);
  else if (!o)
    fprintf(out, "%p", place);
  else if (!n->has_name)
    fprintf(out, "%s+%#zx", file_name(o), (size_t)(at - o->base));
  else if (n->inside == 0)
    fputs(n->name, out);
  else
    fprintf(out, "%s+%#zx", n->name, (size_t)n->inside);
}
