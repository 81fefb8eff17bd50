/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/cpus.h"

#if GCH_HAVE_AFFINITY
#include <fcntl.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What getdents64 fills a buffer with. */
struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

bool gch__thread_cpus(uint32_t thread, struct gch_cpus *cpus) {
  memset(cpus, 0, sizeof *cpus);
  return sched_getaffinity((pid_t)thread, sizeof *cpus, cpus->sets) == 0;
}

static bool add(uint32_t thread, struct gch_cpus *all) {
  struct gch_cpus its;
  if (!gch__thread_cpus(thread, &its))
    return false;
  for (int i = 0; i < GCH_CPU_SETS; i++)
    CPU_OR(&all->sets[i], &all->sets[i], &its.sets[i]);
  return true;
}

/* Of the threads in the folder that is open. By bare system calls: opendir
   allocates, and open is a cancellation point. */
static bool add_listed(int fd, struct gch_cpus *all) {
  alignas(struct entry) char buf[2048];
  bool any = false;
  for (long n; (n = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0;)
    for (long at = 0; at < n;) {
      struct entry *e = (struct entry *)(void *)(buf + at);
      if (e->name[0] != '.')
        any |= add((uint32_t)strtoul(e->name, NULL, 10), all);
      at += e->length;
    }
  return any;
}

/* Without /proc: the first thread and the caller are what is known of. */
bool gch__process_cpus(uint32_t thread, struct gch_cpus *cpus) {
  if (thread != 0 && gch__thread_cpus(thread, cpus))
    return true;
  memset(cpus, 0, sizeof *cpus);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/task",
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool known = fd >= 0 && add_listed(fd, cpus);
  if (fd >= 0)
    syscall(SYS_close, fd);
  if (known)
    return true;
  known = add((uint32_t)getpid(), cpus);
  return add(0, cpus) || known;
}
#else
typedef int gch__no_cpus;
#endif
