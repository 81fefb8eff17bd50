/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/fork.h"

#include <pthread.h>
#include <unistd.h>

_Atomic int gch__fork_count;

static void in_child(void) {
  atomic_fetch_add(&gch__fork_count, 1);
}

__attribute__((constructor)) static void register_fork(void) {
  pthread_atfork(NULL, NULL, in_child);
}

void gch__exit_in_child(int forks_before) {
  if (gch__forks() != forks_before)
    _exit(0);
}

void gch__call_task(void (*fn)(void *), void *arg) {
  int before = gch__forks();
  fn(arg);
  gch__exit_in_child(before);
}
