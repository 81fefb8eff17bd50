/* SPDX-License-Identifier: BSD-3-Clause */
/* What a thread has that it may have of who started it. */
#ifndef GULCH_TESTS_THREAD_STATE_H
#define GULCH_TESTS_THREAD_STATE_H

#include "harness.h"

#include <dirent.h>
#include <fenv.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a thread has. */
struct state {
  char name[16];
  cpu_set_t cpus;
  int policy, nice;
  long io;
  int round;
  long slack;
};

static inline int nice_of(pid_t thread) {
  errno = 0;
  int n = getpriority(PRIO_PROCESS, (id_t)thread);
  ck_assert_int_eq(errno, 0);
  return n;
}

/* As far as it can be seen from outside. */
static inline void look_at(pid_t thread, struct state *s) {
  CPU_ZERO(&s->cpus);
  ck_assert_int_eq(sched_getaffinity(thread, sizeof s->cpus, &s->cpus), 0);
  s->policy = (int)syscall(SYS_sched_getscheduler, thread); /* musl has none */
  s->nice = nice_of(thread);
  s->io = syscall(SYS_ioprio_get, 1, thread);
}

static inline void look(void *state) {
  struct state *s = state;
  look_at((pid_t)syscall(SYS_gettid), s);
  prctl(PR_GET_NAME, s->name);
  s->round = fegetround();
  s->slack = prctl(PR_GET_TIMERSLACK);
}

static inline int look_in_task(void *state) {
  look(state);
  return 0;
}

/* The number of the thread of that name; 0: there is none. */
static inline pid_t thread_named(const char *name) {
  DIR *all = opendir("/proc/self/task");
  pid_t found = 0;
  ck_assert_ptr_nonnull(all);
  for (struct dirent *e; !found && (e = readdir(all));) {
    char path[300], text[17] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
    FILE *f = fopen(path, "r");
    if (!f)
      continue;
    if (fgets(text, sizeof text, f) && strcspn(text, "\n") == strlen(name) &&
        strncmp(text, name, strlen(name)) == 0)
      found = atoi(e->d_name);
    fclose(f);
  }
  closedir(all);
  return found;
}

/* A thread has its name as soon as all else is as it should be. */
static inline pid_t await_thread_named(const char *name) {
  pid_t found;
  while ((found = thread_named(name)) == 0)
    usleep(1000);
  return found;
}

static inline bool pin(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)sched_getcpu(), &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

#endif
