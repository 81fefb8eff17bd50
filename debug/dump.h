/* SPDX-License-Identifier: BSD-3-Clause */
/* The dump, for the folder's own reports. */
#ifndef GCH_DEBUG_DUMP_H
#define GCH_DEBUG_DUMP_H

#include <stddef.h>
#include <stdio.h>

/* What a dump has printed. */
struct gch_census {
  size_t plain, contexts, timers; /* channels, by owner */
};

/* As gch_dump, out not NULL. */
struct gch_census gch__dump(FILE *out);

#endif
