/* SPDX-License-Identifier: BSD-3-Clause */
/* What a dump says. */
#ifndef GULCH_TESTS_DUMP_TEXT_H
#define GULCH_TESTS_DUMP_TEXT_H

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A dump, as text to free. (Inlined, gcc takes the text for its pointer.) */
__attribute__((noinline)) GCH_UNUSED static char *dump(void) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  ck_assert_ptr_nonnull(out);
  gch_dump(out);
  ck_assert_int_eq(ferror(out), 0);
  fclose(out);
  return text;
}

/* What text says of c: its line and the indented ones. To be freed; NULL where
   it says nothing. */
static inline char *said_of(const char *text, const gch_chan *c) {
  char head[64];
  snprintf(head, sizeof head, "channel %p", (const void *)c);
  const char *at = strstr(text, head);
  if (!at)
    return NULL;
  const char *end = strstr(at, "\nchannel ");
  return strndup(at, end ? (size_t)(end + 1 - at) : strlen(at));
}

static inline bool is_shown(const gch_chan *c) {
  char *text = dump(), *said = said_of(text, c);
  bool shown = said != NULL;
  free(said);
  free(text);
  return shown;
}

#endif
