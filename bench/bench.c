/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bench's program: runs rows, prints a table or JSON. Each sample is a
 * process of its own; shown are the median, the least and the greatest. What
 * each row does stands in the tables at the end of the *_rows.c.
 */
#include "bench.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_RUNS = 101 };

enum { /* options; those from RUNS on take a number */
       THREADS_ONLY,
       TASKS_ONLY,
       JSON,
       ONE,
       COLD,
       RUNS,
       MS,
       OPS,
       CPU,
       N,
       PAYLOAD,
       LIMIT,
       NUM_OPTS
};

struct opts {
  long v[NUM_OPTS];
};

static const char usage[] =
    "usage: bench [OPTION]… [ROW]…     runs all rows, or these\n"
    "       bench list                 says what the rows are\n"
    "  --threads, --tasks  parties are plain threads, or tasks (default: "
    "both)\n"
    "  --runs N       samples a row (7)\n"
    "  --ms N         what a sample takes, milliseconds (100)\n"
    "  --ops N        operations a sample, instead\n"
    "  --cpu N        pins the process to this processor\n"
    "  --n N          parties, cases, children …, instead of the row's own\n"
    "  --payload N    bytes an element of a channel row (8)\n"
    "  --limit N      ends a sample after so many seconds (20)\n"
    "  --json         prints JSON\n"
    "  --one          one sample, in this very process, as JSON\n"
    "  --cold         no warm-up\n";

static _Noreturn void fail(const char *what, const char *which) {
  fprintf(stderr, "bench: %s%s\n", what, which);
  exit(2);
}

static long number(const char *text, long max) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*end || end == text || n < 0 || n > max)
    fail("not a number in range: ", text);
  return n;
}

static void pin(size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    fail("cannot be pinned", "");
}

static void parse(struct opts *o, int argc, char **argv) {
  static const struct {
    const char *name;
    long max, start;
  } opts[NUM_OPTS] = {{"threads", 1, 0},
                      {"tasks", 1, 0},
                      {"json", 1, 0},
                      {"one", 1, 0},
                      {"cold", 1, 0},
                      {"runs", MAX_RUNS, 7},
                      {"ms", 60000, 100},
                      {"ops", 1000000000, 0},
                      {"cpu", CPU_SETSIZE - 1, -1},
                      {"n", 10000000, 0},
                      {"payload", MAX_PAYLOAD, 8},
                      {"limit", 3600, 20}};
  struct option longs[NUM_OPTS + 1] = {0};
  for (int i = 0; i < NUM_OPTS; i++) {
    longs[i] = (struct option){opts[i].name, i >= RUNS, NULL, i + 1};
    o->v[i] = opts[i].start;
  }
  for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
    if (c == '?') {
      fputs(usage, stderr);
      exit(2);
    }
    o->v[c - 1] = optarg ? number(optarg, opts[c - 1].max) : 1;
  }
  o->v[JSON] |= o->v[ONE];
}

/* All rows, one after the other: *r is NULL at first, and after the last. */
static bool next_row(const struct row **r) {
  static const struct row *const tables[] = {chan_rows, select_rows, ctx_rows,
                                             task_rows};
  static size_t table;
  if (!*r)
    table = 0;
  *r = *r ? *r + 1 : tables[0];
  while (!(*r)->name && ++table < sizeof tables / sizeof *tables)
    *r = tables[table];
  if (!(*r)->name)
    *r = NULL;
  return *r;
}

static const char *kinds_of(unsigned kinds) {
  static const char *const names[] = {"-", "threads", "tasks", "both"};
  return names[kinds];
}

/* For people, and for the scripts: separated by tabs. */
static void list(void) {
  for (const struct row *r = NULL; next_row(&r);)
    printf("%s\t%s\t%s\t%s\t%s\n", r->name, r->group, kinds_of(r->kinds),
           kinds_of(r->exact), r->what);
}

static int by_value(const void *a, const void *b) {
  const struct sample *x = a, *y = b;
  return (x->value > y->value) - (x->value < y->value);
}

static void print_json(const struct run *run, const struct sample *s, int n,
                       bool first) {
  const struct row *r = run->row;
  printf("%s  {\"row\": \"%s\", \"group\": \"%s\", \"kind\": \"%s\", "
         "\"n\": %ld, \"payload\": %zu, \"unit\": \"%s\", \"what\": \"%s\", "
         "\"samples\": [",
         first ? "" : ",\n", r->name, r->group, kinds_of(run->tasks + 1u),
         run->n, run->payload, r->unit ? r->unit : "ns", r->what);
  for (int i = 0; i < n; i++)
    printf("%s{\"ops\": %ld, \"value\": %.2f, \"cpu\": %.2f}", i ? ", " : "",
           s[i].ops, s[i].value, s[i].cpu);
  printf("]}");
}

static void print_line(const struct run *run, const struct sample *s, int n) {
  const struct row *r = run->row;
  printf("%-15s %-7s ", r->name, kinds_of(run->tasks + 1u));
  if (n == 0) {
    printf("%11s\n", "none");
    return;
  }
  printf("%11.1f %11.1f %11.1f %-3s ", s[n / 2].value, s[0].value,
         s[n - 1].value, r->unit ? r->unit : "ns");
  if (r->unit)
    printf("%11s  %s\n", "", r->what);
  else
    printf("%11.1f  %s\n", s[n / 2].cpu, r->what);
}

/* Some samples, in the order of their values; how many. The first two find
   how much work it is to be. */
static int measure(const struct run *run, const struct opts *o,
                   struct sample *s) {
  struct sample_opts opts = {.ops = o->v[OPS],
                             .target = o->v[MS] * GCH_MILLISECOND,
                             .cold = o->v[COLD]};
  long most = 0;
  int n = 0;
  if (o->v[ONE]) {
    alarm((unsigned)o->v[LIMIT]);
    s[n++] = sample_here(*run, &opts);
  }
  for (int i = 0; i < o->v[RUNS] && !o->v[ONE]; i++) {
    s[n] = sample_apart(run, &opts, (unsigned)o->v[LIMIT]);
    if (s[n].ops == 0)
      break;
    most = s[n].ops > most ? s[n].ops : most;
    if (++n == 2)
      opts.ops = most;
  }
  qsort(s, (size_t)n, sizeof *s, by_value);
  return n;
}

static void run_row(const struct row *r, bool tasks, const struct opts *o) {
  static bool printed;
  struct sample s[MAX_RUNS];
  struct run run = {.row = r,
                    .tasks = tasks,
                    .n = o->v[N] ? o->v[N] : r->n,
                    .payload = (size_t)o->v[PAYLOAD]};
  int n = measure(&run, o, s);
  if (o->v[JSON])
    print_json(&run, s, n, !printed);
  else
    print_line(&run, s, n);
  fflush(stdout);
  printed = true;
}

static bool wanted(const struct row *r, char **names) {
  for (char **name = names; *name; name++)
    if (strcmp(*name, r->name) == 0)
      return true;
  return !*names;
}

static bool known(const char *name) {
  for (const struct row *r = NULL; next_row(&r);)
    if (strcmp(name, r->name) == 0)
      return true;
  return false;
}

static void run_rows(const struct opts *o, char **names) {
  for (const struct row *r = NULL; next_row(&r);) {
    if (!wanted(r, names))
      continue;
    if (r->kinds & THREADS && !o->v[TASKS_ONLY])
      run_row(r, false, o);
    if (r->kinds & TASKS && !o->v[THREADS_ONLY])
      run_row(r, true, o);
  }
}

int main(int argc, char **argv) {
  struct opts o;
  parse(&o, argc, argv);
  argv += optind;
  if (*argv && strcmp(*argv, "list") == 0) {
    list();
    return 0;
  }
  for (char **name = argv; *name; name++)
    if (!known(*name))
      fail("no such row: ", *name);
  if (o.v[CPU] >= 0)
    pin((size_t)o.v[CPU]);
  if (o.v[JSON])
    puts("[");
  else
    printf("%-15s %-7s %11s %11s %11s     %11s\n", "row", "parties", "median",
           "min", "max", "cpu ns");
  run_rows(&o, argv);
  if (o.v[JSON])
    puts("\n]");
  return 0;
}
