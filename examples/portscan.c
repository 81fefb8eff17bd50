/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which TCP ports of a host are open: dials them all, 100 at a time, for at
 * most 200 ms each.
 *
 *     portscan HOST FIRST LAST
 *
 *     g, ctx := errgroup.WithContext(ctx)
 *     g.SetLimit(100)
 *     for port := first; port <= last; port++ {
 *         g.Go(func() error {
 *             ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
 *             defer cancel()
 *             conn, err := dialer.DialContext(ctx, "tcp",
 *                 net.JoinHostPort(host, strconv.Itoa(port)))
 *             if err == nil {
 *                 conn.Close()
 *                 open <- port
 *             }
 *             return nil
 *         })
 *     }
 *     go func() { g.Wait(); close(open) }()
 *     for port := range open {
 *         found = append(found, port)
 *     }
 *     sort.Ints(found)
 */
#include "example.h"

#include <signal.h>
#include <string.h>

enum { AT_ONCE = 100 };

struct scan {
  const char *host;
  bool open[65536];
};

struct probe {
  struct scan *scan;
  int port;
};

static int try_port(const gch_ctx *ctx, void *arg) {
  const struct probe *p = arg;
  char address[300];
  int fd;
  snprintf(address, sizeof address,
           strchr(p->scan->host, ':') ? "[%s]:%d" : "%s:%d", p->scan->host,
           p->port);
  GCH_CTX_AUTO gch_ctx *soon = gch_ctx_with_timeout(ctx, 200 * GCH_MILLISECOND);
  int err = soon ? gch_net_dial(soon, "tcp", address, &fd) : ENOMEM;
  if (err == 0) {
    p->scan->open[p->port] = true;
    gch_io_close(fd);
  }
  bool goes_on = err == 0 || err == ECONNREFUSED || err == ETIMEDOUT;
  return goes_on ? 0 : err;
}

static int scan_all(const gch_ctx *ctx, struct scan *s, int first, int last) {
  gch_errgroup *g = gch_errgroup_with_ctx(ctx);
  int err = g ? gch_errgroup_set_limit(g, AT_ONCE) : ENOMEM;
  for (int port = first; err == 0 && port <= last; port++) {
    struct probe p = {s, port};
    if (gch_ctx_err(gch_errgroup_ctx(g)) != 0)
      break;
    err = gch_errgroup_go_copy(g, try_port, &p, sizeof p);
  }
  int first_err = g ? gch_errgroup_wait(g) : ENOMEM;
  gch_errgroup_free(g);
  return err ? err : first_err;
}

GCH_MAIN(argc, argv) {
  static struct scan s;
  int first = argc == 4 ? atoi(argv[2]) : 0,
      last = argc == 4 ? atoi(argv[3]) : 0;
  if (first < 1 || last > 65535)
    return fail("usage: portscan HOST FIRST LAST", EINVAL);
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  if (!ctx)
    return fail("gch_signal_notify_ctx", ENOMEM);
  s.host = argv[1];
  int err = scan_all(ctx, &s, first, last);
  if (err)
    return fail(s.host, err);
  for (int port = first; port <= last; port++)
    if (s.open[port])
      printf("%d\n", port);
  return 0;
}
