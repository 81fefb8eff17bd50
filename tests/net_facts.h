/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners, connections and descriptors. */
#ifndef GULCH_TESTS_NET_FACTS_H
#define GULCH_TESTS_NET_FACTS_H

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ok(call) ck_assert_int_eq(call, 0)

static inline const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* But for what is in /proc, which the library's own thread may just read. */
static inline int fd_count(void) {
  int n = 0;
  char name[6];
  DIR *d = opendir("/proc/self/fd");
  ck_assert_ptr_nonnull(d);
  for (struct dirent *e; (e = readdir(d));)
    if (readlinkat(dirfd(d), e->d_name, name, sizeof name) == sizeof name)
      n += memcmp(name, "/proc/", sizeof name) != 0;
  closedir(d);
  return n;
}

/* From now on the library has the descriptors that it needs itself. (Where the
   time has passed before it comes to wait, it has not needed them.) */
static inline void await_poller(int fd) {
  int before = fd_count();
  for (int i = 0; i < 20 && fd_count() == before; i++)
    gch_io_wait_until(fd, GCH_IO_READ, NULL, gch_in(GCH_MILLISECOND));
}

static inline int listener(const char *network, const char *address) {
  int fd = -1;
  ok(gch_net_listen(network, address, &fd));
  ck_assert_int_ge(fd, 0);
  return fd;
}

/* The address of fd, as printed. */
static inline const char *name_of(int fd, char text[128]) {
  ok(gch_net_addr(fd, false, text, 128));
  return text;
}

static inline int port_of(int fd) {
  char text[128];
  return atoi(strrchr(name_of(fd, text), ':') + 1);
}

static inline int dialled(const char *network, const char *address) {
  int fd = -1;
  ok(gch_net_dial(bg(), network, address, &fd));
  return fd;
}

static inline int accepted(int listener) {
  int fd = -1;
  ok(gch_io_accept(listener, &fd, NULL, NULL));
  return fd;
}

/* A byte goes from a to b. */
static inline void expect_joined(int a, int b) {
  char c = 'x', got = 0;
  size_t n;
  ok(gch_io_write(a, &c, 1, NULL));
  ok(gch_io_read(b, &got, 1, &n));
  ck_assert_uint_eq(n, 1);
  ck_assert_int_eq(got, 'x');
}

#endif
