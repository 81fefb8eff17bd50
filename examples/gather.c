/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request whose client goes away cancels its context, and with it three calls
 * that run in parallel for it, in another server.
 *
 *     examples/gather ADDRESS          the other server: a GET of /MS/NAME
 *                                      works for MS milliseconds
 *     examples/gather ADDRESS OTHER    a GET of /MS asks the other for three
 *                                      pieces of work at once
 *
 *     func gather(w http.ResponseWriter, r *http.Request) {
 *         g, ctx := errgroup.WithContext(r.Context())
 *         answers := make([]string, len(names))
 *         for i, name := range names {
 *             g.Go(func() (err error) {
 *                 answers[i], err = get(ctx, other+r.URL.Path+"/"+name)
 *                 return err
 *             })
 *         }
 *         if err := g.Wait(); err != nil {
 *             http.Error(w, err.Error(), http.StatusBadGateway)
 *             return
 *         }
 *         fmt.Fprintln(w, strings.Join(answers, " "))
 *     }
 *
 * Both are servers of the same kind. So when a client of the first goes away the
 * calls end, which closes their connections, and then the second's requests end
 * too: nobody works any more for whom nobody waits.
 */
#include "example.h"
#include "http.h"

#include <errno.h>

/* Work */

static void work(const gch_ctx *ctx, struct http *h, void *unused) {
  int ms;
  char name[16];
  (void)unused;
  if (sscanf(h->url, "/%8d/%15[a-z]", &ms, name) != 2) {
    http_answer(ctx, h, 404, "Not Found", "", "");
    return;
  }
  printf("%s: begun\n", name);
  int err = gch_sleep_ctx(ctx, ms * GCH_MILLISECOND);
  printf("%s: %s\n", name, err ? gch_strerror(err) : "done");
  if (err == 0)
    http_answer(ctx, h, 200, "OK", "", name);
}

/* Those who ask for it */

enum { CALLS = 3 };

struct call {
  const char *other, *path, *name;
  char answer[16];
};

static int call(const gch_ctx *ctx, void *arg) {
  struct call *c = arg;
  struct http h;
  char path[64];
  snprintf(path, sizeof path, "%.32s/%s", c->path, c->name);
  int err = http_get(ctx, c->other, path, "", &h);
  if (err == 0 && h.parser.status_code != 200)
    err = EPROTO;
  if (err == 0)
    snprintf(c->answer, sizeof c->answer, "%s", h.body);
  return err;
}

/* All three, or the first error, which ends the others. */
static int call_all(const gch_ctx *ctx, struct call c[CALLS]) {
  gch_errgroup *g = gch_errgroup_with_ctx(ctx);
  int err = g ? 0 : ENOMEM;
  for (int i = 0; i < CALLS && err == 0; i++)
    err = gch_errgroup_go(g, call, &c[i]);
  if (g) {
    int first = gch_errgroup_wait(g);
    err = err ? err : first;
    gch_errgroup_free(g);
  }
  return err;
}

static void gather(const gch_ctx *ctx, struct http *h, void *other) {
  struct call c[CALLS] = {{other, h->url, "alpha", ""},
                          {other, h->url, "beta", ""},
                          {other, h->url, "gamma", ""}};
  char body[64];
  int err = call_all(ctx, c);
  printf("%s: %s\n", h->url, err ? gch_strerror(err) : "done");
  if (err) {
    snprintf(body, sizeof body, "%s\n", gch_strerror(err));
    http_answer(ctx, h, 502, "Bad Gateway", "", body);
    return;
  }
  snprintf(body, sizeof body, "%s %s %s\n", c[0].answer, c[1].answer,
           c[2].answer);
  http_answer(ctx, h, 200, "OK", "", body);
}

GCH_MAIN(argc, argv) {
  const char *address = argc > 1 ? argv[1] : "localhost:0";
  if (argc > 2)
    return http_main(address, gather, argv[2]);
  return http_main(address, work, NULL);
}
