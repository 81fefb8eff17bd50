/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One sample: warm-up, then an amount of work, given or found by the warm-up.
 */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct job {
  struct run run;
  const struct sample_opts *opts;
};

/* The least number of operations from ops on that the row can do. */
static long whole(const struct run *r, double ops) {
  long unit = r->row->by_n ? r->n : 1;
  long rounds = (long)(ops / (double)unit + 0.999);
  return (rounds > 0 ? rounds : 1) * unit;
}

/* Does ops operations; how long it took, ns, with what is not measured. */
static double work(struct run *r, long ops) {
  int64_t start = gch_now();
  r->ops = ops;
  r->wall = r->cpu = 0;
  r->row->fn(r);
  return (double)(gch_now() - start);
}

/* Warms up by doing more and more; how many operations take the target, by
   the best of what it saw, or four times that with what is not measured. A
   single slow round is no measure: it ends at the second. */
static long calibrate(struct run *r, double target) {
  double best = target;
  long ops = whole(r, 1);
  for (int slow = 0; slow < 2;) {
    double all = work(r, ops) / 4, wall = (double)r->wall;
    double each = ((wall > all ? wall : all) + 1) / (double)ops;
    best = each < best ? each : best;
    if (wall >= target / 8 || all >= target / 2)
      slow++;
    else
      ops = whole(r, 4.0 * (double)ops);
  }
  return whole(r, target / best);
}

static int job_main(void *arg) {
  struct job *job = arg;
  struct run *r = &job->run;
  const struct sample_opts *o = job->opts;
  long ops = o->ops > 0 ? whole(r, (double)o->ops) : r->n;
  if (!r->row->unit && o->ops <= 0)
    ops = calibrate(r, (double)o->target);
  else if (!r->row->unit && !o->cold)
    work(r, whole(r, (double)ops / 10));
  work(r, ops);
  return 0;
}

static void *sleep_for_ever(void *arg) {
  for (;;)
    pause();
  return arg;
}

struct sample sample_here(struct run r, const struct sample_opts *o) {
  struct job job = {r, o};
  pthread_t idle;
  if (r.tasks)
    gch_run(job_main, &job);
  else if (pthread_create(&idle, NULL, sleep_for_ever, NULL) == 0)
    job_main(&job); /* with more than one thread in the process */
  double ops = (double)job.run.ops;
  double value = r.row->unit ? job.run.value : (double)job.run.wall / ops;
  return (struct sample){job.run.ops, value, (double)job.run.cpu / ops};
}

struct sample sample_apart(const struct run *r, const struct sample_opts *o,
                           unsigned seconds) {
  struct sample *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct sample got = {0};
  if (shared == MAP_FAILED)
    return got;
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(seconds);
    *shared = sample_here(*r, o);
    _exit(0);
  }
  int status;
  if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
    got = *shared;
  munmap(shared, sizeof *shared);
  return got;
}
