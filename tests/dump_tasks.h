/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks that wait, for the tests of what gch_dump shows of them. */
#ifndef GULCH_TESTS_DUMP_TASKS_H
#define GULCH_TESTS_DUMP_TASKS_H

#include "dump_text.h"
#include "tasks.h"

#include <gulch/sync.h>
#include <stdatomic.h>

/* What the functions below wait for. */
static struct scene {
  gch_chan *c, *d; /* of int */
  gch_mutex mutex;
  gch_rwmutex rwmutex;
  gch_cond cond;
  gch_once once;
  gch_wg wg;
} scene;

static atomic_int after; /* each does something after it waits, so that it is
                            where it waits */

static inline void then(void) {
  atomic_fetch_add(&after, 1);
}

/* Each is to be seen in the dump by its name. */

static inline void receiver(void *unused) {
  (void)unused;
  gch_recv(scene.c, NULL);
  then();
}

static inline void receiver_for_long(void *unused) {
  (void)unused;
  gch_recv_until(scene.c, NULL, gch_now() + GCH_HOUR);
  then();
}

/* The line of the task whose function this is, what comes after its name; NULL:
   there is none. */
static inline const char *line_of(const char *text, const char *function) {
  char head[64];
  static char line[1024];
  snprintf(head, sizeof head, ": %s, ", function);
  for (const char *at = text; at; at = strchr(at, '\n')) {
    at += *at == '\n';
    const char *end = strchrnul(at, '\n'), *found = strstr(at, head);
    if (strncmp(at, "task ", 5) != 0 || !found || found > end)
      continue;
    found += strlen(head);
    snprintf(line, sizeof line, "%.*s", (int)(end - found), found);
    return line;
  }
  return NULL;
}

static inline void setup(void) {
  scene = (struct scene){.c = gch_make_of(int, 0), .d = gch_make_of(int, 0)};
}

static inline void teardown(void) {
  gch_close(scene.c);
  await_no_tasks();
  gch_unref(scene.c);
  gch_unref(scene.d);
}

#endif
