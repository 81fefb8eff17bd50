/* SPDX-License-Identifier: BSD-3-Clause */
#define _FILE_OFFSET_BITS 64 /* an offset is an address */
#include "debug/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* By a file, where there is no such system call, or a filter denies it. */
static bool read_file(void *to, const void *from, size_t n) {
  int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t got = pread(fd, to, n, (off_t)(uintptr_t)from);
  close(fd);
  return got == (ssize_t)n;
}

/* An emulator may give what it has itself at that address. */
static bool peek_file(void *to, const void *from, size_t n) {
  static const uint64_t mark = UINT64_C(0x67756c6368206973);
  static atomic_int trusted; /* -1: no */
  uint64_t seen = 0;
  if (atomic_load(&trusted) == 0)
    atomic_store(&trusted,
                 read_file(&seen, &mark, sizeof seen) && seen == mark ? 1 : -1);
  return atomic_load(&trusted) > 0 && read_file(to, from, n);
}

bool gch__peek(void *to, const void *from, size_t n) {
#ifdef SYS_process_vm_readv
  struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};
  long got = syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, &remote,
                     1L, 0L);
  if (got == (long)n)
    return true;
  if (got >= 0 || errno == EFAULT)
    return false;
#endif
  return peek_file(to, from, n);
}

void gch__peek_stable(void *to, const void *from, size_t n) {
  if (gch__peek(to, from, n))
    return;
  volatile char *t = to;
  for (size_t i = 0; i < n; i++)
    t[i] = ((const volatile char *)from)[i];
}
