/* SPDX-License-Identifier: BSD-3-Clause */
/* Places in the program's code, and their names. */
#ifndef GCH_DEBUG_CODE_H
#define GCH_DEBUG_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { GCH_PATH_MAX = 256, GCH_SYMBOL_MAX = 64 };

/* Where an object (the program, a library) has code, and its functions'
   names. */
struct gch_object {
  uintptr_t base, start, end; /* start to end: instructions */
  char path[GCH_PATH_MAX];    /* to open it by */
  bool looked;                /* for the names; after that they are there, */
  void *symbols;              /* of the ELF type; malloc'd */
  char *strings;
  size_t num_symbols, strings_size;
};

/* symbol.c: the function in which offset from o's base lies, cut to what name
   has room for, and how far in it; false: it has no name. */
bool gch__symbol(struct gch_object *o, uintptr_t offset,
                 char name[GCH_SYMBOL_MAX], uintptr_t *inside);
/* The offsets between which o's public functions of this library lie. */
void gch__symbols_of_library(struct gch_object *o, uintptr_t *start,
                             uintptr_t *end);
void gch__symbols_free(struct gch_object *o);

/* All code there is now, to free with gch__code_free; NULL: no memory. */
struct gch_code *gch__code_new(void);
void gch__code_free(struct gch_code *c);

/* Prints where at is: "worker", "worker+0x3c", "program+0x1234" as addr2line
   takes it, or the address; "?" for NULL. c may be NULL. */
void gch__print_place(FILE *out, struct gch_code *c, const void *at);

/* What called the library in a task whose stack begins at sp and ends at end:
   the first return address on it that is not in the library's own code. NULL:
   none was found. */
const void *gch__caller_of_library(struct gch_code *c, const void *sp,
                                   const void *end);

#endif
