/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory from the kernel. */
#include "go/map.h"

#include "go/stack_size.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

size_t gch__page(void) {
  /* Relaxed: whoever races to fill it in stores the same. */
  static _Atomic size_t known;
  size_t page = atomic_load_explicit(&known, memory_order_relaxed);
  if (page == 0) {
    page = (size_t)sysconf(_SC_PAGESIZE);
    atomic_store_explicit(&known, page, memory_order_relaxed);
  }
  return page;
}

static char *map(size_t size, int prot) {
  void *m = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  if (m == MAP_FAILED)
    return NULL;
#ifdef MADV_NOHUGEPAGE
  madvise(m, size, MADV_NOHUGEPAGE); /* a page for a stack, not two megabytes */
#endif
  return m;
}

char *gch__map(size_t size) {
  return map(size, PROT_READ | PROT_WRITE);
}

/* Who may not have executable memory gets some without. */
char *gch__map_stacks(size_t size, int *prot) {
  char *m = NULL;
  *prot = PROT_READ | PROT_WRITE | PROT_EXEC;
  if (gch__stacks_execute())
    m = map(size, *prot);
  if (!m) {
    *prot = PROT_READ | PROT_WRITE;
    m = map(size, *prot);
  }
  return m;
}
