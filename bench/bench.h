/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bench's files share. A row is a function that does a given number
 * of operations and marks what of that is measured:
 *
 *     static void try_recv(struct run *r) {
 *       gch_chan *c = make(r);
 *       run_begin(r);
 *       for (long i = 0; i < r->ops; i++)
 *         gch_try_recv(c, NULL);
 *       run_end(r);
 *       gch_unref(c);
 *     }
 *
 * and a line in the table at the end of its file. The same function serves
 * plain threads and tasks: it starts its parties by run_start.
 */
#ifndef GULCH_BENCH_H
#define GULCH_BENCH_H

#include <gulch.h>

struct run;

enum { THREADS = 1, TASKS = 2, BOTH = THREADS | TASKS }; /* kinds of party */
enum { MAX_PAYLOAD = 4096 };

struct row {
  const char *group, *name;
  const char *what; /* one operation, and what is there besides */
  void (*fn)(struct run *r);
  unsigned kinds; /* for which parties it makes sense */
  unsigned exact; /* for which the count of instructions repeats */
  size_t cap;
  long n;           /* the size: of a crowd, of a select; --n changes it */
  bool by_n;        /* operations come n at a time */
  const char *unit; /* NULL: ns an operation. Else the row runs just once a
                       sample, and sets run.value */
};

struct run { /* one sample */
  const struct row *row;
  bool tasks;
  long ops; /* to do; a multiple of n for a row by_n */
  long n;
  size_t payload;    /* bytes an element */
  int64_t wall, cpu; /* measured so far, ns; cpu: user and system */
  double value;      /* for a row with a unit of its own */
  gch_chan *gate;    /* that the parties held wait at; closed to release them */
  size_t held;
};

/* Each ends with a row without a name. */
extern const struct row chan_rows[], select_rows[], ctx_rows[], task_rows[];

/* Between these is what is measured. They may come several times. */
void run_begin(struct run *r);
void run_end(struct run *r);

/* Starts fn(arg) as a party (a pthread or a task), counted in wg until it
   returns. */
void run_start(struct run *r, gch_wg *wg, void (*fn)(void *), void *arg);

/* The same, but fn is not called before run_release, which also begins the
   measuring: what it costs to start many parties is not in it. */
void run_hold(struct run *r, gch_wg *wg, void (*fn)(void *), void *arg);
void run_release(struct run *r);

/* A channel of the row's capacity for elements of the payload's size. */
gch_chan *make(const struct run *r);

/* What malloc gives, zeroed; there is always some, or the program ends. */
void *zeroed(size_t n, size_t size);

/* Returns when n parties are parked on c, and have been for ns: queued is not
   yet asleep, a thread may spin. */
void settle(const gch_chan *c, size_t n, int64_t ns);

struct sample_opts {
  long ops;       /* how much work; 0: as much as target takes */
  int64_t target; /* ns */
  bool cold;      /* without warm-up */
};

struct sample {
  long ops;          /* done in it; 0: it failed */
  double value, cpu; /* an operation: in the row's unit; ns */
};

/* Measures in this process. r says what; its results are not looked at. */
struct sample sample_here(struct run r, const struct sample_opts *o);

/* The same in a process of its own, which is ended after so many seconds. */
struct sample sample_apart(const struct run *r, const struct sample_opts *o,
                           unsigned seconds);

#endif
