/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main of both programs that have such rows, and what the rows use:
 *
 *     edges list            name, unit, whether it is a latency, what it is,
 *                           and the group
 *     edges ROW [MS]        one sample, as JSON: median, 99th percentile
 *     edges busy            computes until its parent is gone
 */
#include "edge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 100000, LIMIT = 20 /* s */ };

static int64_t clock_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t edge_now(void) {
  return clock_of(CLOCK_MONOTONIC);
}

int64_t edge_cpu(void) {
  return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* Of the page tables themselves: what statm says is some pages behind. */
int64_t edge_resident(void) {
  char line[128];
  long kilobytes = -1;
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  while (f && kilobytes < 0 && fgets(line, sizeof line, f))
    if (sscanf(line, "Rss: %ld", &kilobytes) != 1)
      kilobytes = -1;
  if (kilobytes < 0)
    edge_fail("no /proc/self/smaps_rollup");
  fclose(f);
  return (int64_t)kilobytes * 1024;
}

void edge_spin(int64_t ns) {
  for (int64_t end = edge_now() + ns; edge_now() < end;)
    ;
}

void edge_nap(int64_t ns) {
  struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
  while (nanosleep(&t, &t) != 0)
    ;
}

void edge_fail(const char *what) {
  fprintf(stderr, "edges: %s\n", what);
  exit(2);
}

void *edge_zeroed(size_t n, size_t size) {
  void *p = calloc(n, size);
  if (!p)
    edge_fail("no memory");
  return p;
}

struct edge_pipe edge_pipe(void) {
  int fd[2];
  if (pipe(fd) != 0)
    edge_fail("no pipe");
  return (struct edge_pipe){fd[0], fd[1]};
}

void edge_read(struct edge_pipe *p) {
  char c;
  if (read(p->in, &c, 1) != 0)
    edge_fail("read something");
}

void edge_unblock(struct edge_pipe *p) {
  close(p->out);
}

void edge_close(struct edge_pipe *p) {
  close(p->in);
}

bool edge_more(const struct edge_run *r) {
  if (r->taken == 0)
    return true;
  return r->taken < r->room && edge_now() - r->began < r->budget;
}

void edge_take(struct edge_run *r, int64_t figure) {
  if (r->taken < r->room)
    r->figure[r->taken++] = figure;
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static long long percentile(const struct edge_run *r, size_t percent) {
  return (long long)r->figure[(r->taken * percent + 99) / 100 - 1];
}

static const struct edge *find(const char *name) {
  for (const struct edge_group *g = edge_groups; g->name; g++)
    for (const struct edge *const *t = g->tables; *t; t++)
      for (const struct edge *e = *t; e->name; e++)
        if (strcmp(e->name, name) == 0)
          return e;
  return NULL;
}

static void list(void) {
  for (const struct edge_group *g = edge_groups; g->name; g++)
    for (const struct edge *const *t = g->tables; *t; t++)
      for (const struct edge *e = *t; e->name; e++)
        printf("%s\t%s\t%s\t%s\t%s\n", e->name, e->unit ? e->unit : "ns",
               e->latency ? "latency" : "", e->what ? e->what : "", g->name);
}

static void busy(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (getppid() != 1)
    edge_spin(10 * MS);
}

static void allow_descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void *sleep_for_ever(void *arg) {
  for (;;)
    pause();
  return arg;
}

/* As in bench/sample.c: the C library and the kernel are quicker for a process
   of one thread. */
static void have_another_thread(void) {
  pthread_t idle;
  if (pthread_create(&idle, NULL, sleep_for_ever, NULL) != 0)
    edge_fail("no thread");
}

static void sample(const struct edge *e, int64_t budget) {
  struct edge_run r = {.n = e->n, .arg = e->arg, .budget = budget};
  r.room = ROOM;
  r.figure = edge_zeroed(ROOM, sizeof *r.figure);
  alarm(LIMIT);
  allow_descriptors();
  have_another_thread();
  r.began = edge_now();
  edge_enter(e, &r);
  if (r.taken == 0)
    edge_fail("nothing was measured");
  qsort(r.figure, r.taken, sizeof *r.figure, by_size);
  printf("{\"figures\": %zu, \"value\": %lld", r.taken, percentile(&r, 50));
  if (e->latency)
    printf(", \"p99\": %lld", percentile(&r, 99));
  printf(", \"worst\": %lld}\n", percentile(&r, 100));
}

int main(int argc, char **argv) {
  const struct edge *e = argc > 1 ? find(argv[1]) : NULL;
  if (argc == 2 && strcmp(argv[1], "list") == 0)
    list();
  else if (argc == 2 && strcmp(argv[1], "busy") == 0)
    busy();
  else if (e)
    sample(e, (argc > 2 ? atoi(argv[2]) : 300) * (int64_t)MS);
  else
    edge_fail("usage: edges list | busy | ROW [MS]");
  fflush(stdout);
  _exit(0); /* with what still runs */
}
