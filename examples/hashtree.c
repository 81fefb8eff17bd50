/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hashtree: the SHA-256 of every file under a directory; prints just what
 *     find DIR -type f | LC_ALL=C sort | xargs sha256sum
 * does.
 *
 *     hashtree [-j WORKERS] [-t TIMEOUT] [DIR]
 *
 * It is the bounded pipeline of the Go blog's "Pipelines and cancellation":
 *
 *     walk --paths--> digest (several) --results--> collect, then print
 *
 *     g, ctx := errgroup.WithContext(ctx)
 *     g.Go(func() error { defer close(paths); return walk(ctx, root, paths) })
 *     for i := 0; i < workers; i++ {
 *         g.Go(func() error { return digest(ctx, paths, results) })
 *     }
 *     go func() { g.Wait(); close(results) }()
 *     for f := range results {
 *         files = append(files, f)
 *     }
 *     err := g.Wait()
 *
 * The first error, SIGINT, SIGTERM or the timeout cancels the context, and with
 * it everything. Exit status: 0; 1 error; 2 usage; 124 timeout; 130 signal.
 */
#include "example.h"
#include "hashtree_file.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE = 256, MAX_WORKERS = 1000 };

struct pipeline {
  const char *root;
  int workers;
  int64_t timeout;   /* nanoseconds */
  gch_chan *paths;   /* of struct file * */
  gch_chan *results; /* of struct file * */
  gch_chan *failed;  /* of struct file *; keeps the first */
  atomic_int working;
  atomic_llong bytes;
  struct file *files; /* the collector's */
  size_t count;
};

/* Passes f on. Where there is an error already, or ctx is done, f ends here:
   an error becomes the program's if it is the first. */
static int pass_on(const gch_ctx *ctx, struct pipeline *p, gch_chan *to,
                   struct file *f, int err) {
  if (!err)
    err = gch_send_ctx(ctx, to, &f);
  if (err) {
    f->err = err;
    if (gch_ctx_err(ctx) || gch_try_send(p->failed, &f) != 0)
      free(f);
  }
  return err;
}

/* Keeps a list of what it has yet to look at; the order does not matter. */
static int walk(const gch_ctx *ctx, void *arg) {
  struct pipeline *p = arg;
  struct file *list = file_new(p->root, "");
  int err = list ? 0 : ENOMEM;
  while (!err && list) {
    struct file *f = list;
    list = f->next;
    bool regular;
    err = file_look(f, &list, &regular);
    if (err || regular) {
      err = pass_on(ctx, p, p->paths, f, err);
    } else {
      free(f);
      err = gch_ctx_err(ctx);
    }
  }
  file_free_list(list);
  gch_close(p->paths);
  return err;
}

/* The last of the workers closes the results. */
static void leave(struct pipeline *p) {
  if (atomic_fetch_sub(&p->working, 1) == 1)
    gch_close(p->results);
}

static int digest(const gch_ctx *ctx, void *arg) {
  struct pipeline *p = arg;
  struct hasher *h = hasher_new();
  struct file *f;
  int err = h ? 0 : ENOMEM;
  while (!err && gch_recv_ctx(ctx, p->paths, &f) == 0) {
    err = file_hash(f, h, ctx, &p->bytes);
    err = pass_on(ctx, p, p->results, f, err);
  }
  hasher_free(h);
  leave(p);
  return err ? err : gch_ctx_err(ctx);
}

static void report(struct pipeline *p, const char *before, const char *after) {
  fprintf(stderr, "%s%zu files, %.1f MB%s", before, p->count,
          (double)atomic_load(&p->bytes) / 1e6, after);
}

/* Takes the results until they are closed. tick may be NULL: no progress. */
static void collect(struct pipeline *p, gch_chan *tick) {
  struct file *f = NULL;
  int closed = 0;
  while (!closed)
    switch (gch_select(GCH_RECV_ERR(p->results, &f, &closed),
                       GCH_RECV(tick, NULL))) {
    case 0:
      if (closed)
        break;
      f->next = p->files;
      p->files = f;
      p->count++;
      break;
    case 1:
      report(p, "\r", "");
      break;
    }
  if (tick)
    fputs("\r\033[K", stderr);
}

static int start(struct pipeline *p, gch_errgroup *g) {
  atomic_init(&p->working, p->workers);
  int err = gch_errgroup_go(g, walk, p);
  for (int i = 0; i < p->workers; i++) {
    if (!err)
      err = gch_errgroup_go(g, digest, p);
    if (err)
      leave(p);
  }
  return err;
}

static int run_in(gch_ctx *ctx, struct pipeline *p) {
  gch_errgroup *g = gch_errgroup_with_ctx(ctx);
  if (!g)
    return ENOMEM;
  gch_ticker *ticker = NULL;
  if (isatty(STDERR_FILENO))
    ticker = gch_ticker_new(100 * GCH_MILLISECOND);

  int err = start(p, g);
  if (err)
    gch_ctx_cancel(ctx);
  collect(p, ticker ? gch_ticker_chan(ticker) : NULL);
  int first = gch_errgroup_wait(g);
  gch_errgroup_free(g);
  gch_ticker_free(ticker);
  return err ? err : first;
}

/* 0; or the first error, ECANCELED for a signal, ETIMEDOUT. */
static int run(struct pipeline *p) {
  GCH_CTX_AUTO gch_ctx *signals =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  if (!signals)
    return ENOMEM;
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_timeout(signals, p->timeout);
  return ctx ? run_in(ctx, p) : ENOMEM;
}

/* Prints what came of it; the exit status. */
static int conclude(struct pipeline *p, int err) {
  struct file *f;
  if (gch_try_recv(p->failed, &f) == 0) {
    fprintf(stderr, "hashtree: %s: %s\n", f->path, gch_strerror(f->err));
    free(f);
    return EXIT_FAILURE;
  }
  switch (err) {
  case ETIMEDOUT:
    report(p, "hashtree: timed out after ", "\n");
    return 124;
  case ECANCELED:
    report(p, "hashtree: interrupted after ", "\n");
    return 130;
  }
  if (!err)
    err = file_print_list(p->files, p->count);
  return err ? fail("hashtree", err) : 0;
}

static void drop_file(void *elem) {
  free(*(struct file **)elem);
}

static int hash_tree(struct pipeline *p) {
  GCH_AUTO gch_chan *paths = gch_make_of(struct file *, QUEUE);
  GCH_AUTO gch_chan *results = gch_make_of(struct file *, QUEUE);
  GCH_AUTO gch_chan *failed = gch_make_of(struct file *, 1);
  if (!paths || !results || !failed)
    return fail("hashtree", ENOMEM);
  gch_set_drop(paths, drop_file); /* what is left there after a cancel */
  p->paths = paths;
  p->results = results;
  p->failed = failed;

  int status = conclude(p, run(p));
  file_free_list(p->files);
  return status;
}

/* "500ms", "1.5s", "2m"; without a unit seconds. */
static bool parse_duration(const char *s, int64_t *ns) {
  static const struct {
    const char *name;
    double ns;
  } units[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},  {"ms", 1e6},
               {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  char *unit;
  double n = strtod(s, &unit);
  if (unit == s || !(n >= 0))
    return false;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(unit, units[i].name) == 0) {
      n *= units[i].ns;
      *ns = n < 9e18 ? (int64_t)n : GCH_FOREVER;
      return true;
    }
  return false;
}

static bool parse_workers(const char *s, int *workers) {
  char *end;
  long n = strtol(s, &end, 10);
  *workers = (int)n;
  return end != s && *end == '\0' && n >= 1 && n <= MAX_WORKERS;
}

static bool parse_options(int argc, char **argv, struct pipeline *p) {
  bool ok = true;
  int c;
  while (ok && (c = getopt(argc, argv, "j:t:")) != -1)
    ok = (c == 'j' && parse_workers(optarg, &p->workers)) ||
         (c == 't' && parse_duration(optarg, &p->timeout));
  if (optind < argc)
    p->root = argv[optind++];
  return ok && optind == argc;
}

GCH_MAIN(argc, argv) {
  struct pipeline p = {.root = "/usr/include",
                       .workers = gch_maxprocs(0),
                       .timeout = GCH_FOREVER};
  if (!parse_options(argc, argv, &p)) {
    fputs("usage: hashtree [-j WORKERS] [-t TIMEOUT] [DIR]\n", stderr);
    return 2;
  }
  int err = hash_start();
  int status = err ? fail("libcrypto", err) : hash_tree(&p);
  hash_end();
  return status;
}
