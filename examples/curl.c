/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many downloads at once, by libcurl's multi interface, in one task: what
 * libcurl waits for are arms of a select, beside the context, which ends it all
 * after TIMEOUT seconds or by SIGINT.
 *
 *     examples/curl TIMEOUT URL...
 *
 *     g, ctx := errgroup.WithContext(ctx)
 *     for _, url := range urls {
 *         g.Go(func() error {
 *             req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
 *             …
 *         })
 *     }
 */
#include "example.h"

#include <curl/curl.h>
#include <signal.h>
#include <string.h>

enum { ARMS = 256, OURS = 2 }; /* of the select; of them not libcurl's */

/* Which descriptors libcurl waits for, and for what. */
struct loop {
  CURLM *multi;
  gch_case arms[ARMS];
  int fds[ARMS];
  int events[ARMS]; /* for libcurl */
  size_t n;
  int64_t timeout; /* when libcurl is to be called again */
  int running;     /* downloads */
};

struct download {
  const char *url;
  size_t bytes;
};

static void forget(struct loop *l, int fd) {
  for (size_t i = l->n; i-- > OURS;)
    if (l->fds[i] == fd) {
      l->n--;
      l->arms[i] = l->arms[l->n];
      l->fds[i] = l->fds[l->n];
      l->events[i] = l->events[l->n];
    }
}

static void add_arm(struct loop *l, int fd, int event, gch_case arm) {
  if (l->n == ARMS)
    return; /* libcurl looks at it when its timeout is over */
  l->arms[l->n] = arm;
  l->fds[l->n] = fd;
  l->events[l->n++] = event;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                     void *unused) {
  struct loop *l = arg;
  (void)easy;
  (void)unused;
  forget(l, fd);
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    add_arm(l, fd, CURL_CSELECT_IN, gch_case_readable(fd, NULL));
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    add_arm(l, fd, CURL_CSELECT_OUT, gch_case_writable(fd, NULL));
  return 0;
}

static int on_timeout(CURLM *multi, long ms, void *arg) {
  (void)multi;
  ((struct loop *)arg)->timeout =
      ms < 0 ? GCH_FOREVER : gch_in(ms * GCH_MILLISECOND);
  return 0;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg) {
  (void)data;
  ((struct download *)arg)->bytes += size * n;
  return size * n;
}

static void report(struct loop *l) {
  CURLMsg *m;
  int left;
  while ((m = curl_multi_info_read(l->multi, &left))) {
    CURL *easy = m->easy_handle;
    CURLcode result = m->data.result;
    struct download *d;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&d);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_OK)
      printf("%s: %ld, %zu bytes\n", d->url, status, d->bytes);
    else
      printf("%s: %s\n", d->url, curl_easy_strerror(result));
    curl_multi_remove_handle(l->multi, easy);
    curl_easy_cleanup(easy);
  }
}

static int run(struct loop *l, const gch_ctx *ctx) {
  l->arms[0] = gch_case_recv(gch_ctx_done(ctx), NULL, NULL);
  while (l->running > 0) {
    l->arms[1] = gch_case_until(l->timeout);
    size_t i = (size_t)gch_select_cases(l->arms, l->n);
    if (i == 0)
      return gch_ctx_err(ctx);
    bool timed = i == 1;
    if (timed)
      l->timeout = GCH_FOREVER;
    curl_multi_socket_action(l->multi, timed ? CURL_SOCKET_TIMEOUT : l->fds[i],
                             timed ? 0 : l->events[i], &l->running);
    report(l);
  }
  return 0;
}

static void add(struct loop *l, struct download *d) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, d->url);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)d);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)d);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* look-ups in a thread */
  curl_multi_add_handle(l->multi, easy);
}

static int download_all(const gch_ctx *ctx, int n, char **urls) {
  struct loop *l = calloc(1, sizeof *l);
  struct download *all = calloc((size_t)n, sizeof *all);
  if (!l || !all)
    return ENOMEM;
  *l = (struct loop){
      .multi = curl_multi_init(), .n = OURS, .timeout = GCH_FOREVER};
  curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
  curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
  curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
  for (int i = 0; i < n; i++) {
    all[i].url = urls[i];
    add(l, &all[i]);
  }
  l->running = n;
  int err = run(l, ctx);
  curl_multi_cleanup(l->multi);
  free(all);
  free(l);
  return err;
}

GCH_MAIN(argc, argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s TIMEOUT URL...\n", argv[0]);
    return EXIT_FAILURE;
  }
  signal(SIGPIPE, SIG_IGN); /* libcurl writes, not gulch */
  curl_global_init(CURL_GLOBAL_DEFAULT);
  GCH_CTX_AUTO gch_ctx *by_signal =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT}, 1);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_timeout(
      by_signal, (int64_t)(strtod(argv[1], NULL) * GCH_SECOND));
  if (!by_signal || !ctx)
    return fail("cannot make a context", ENOMEM);
  int err = download_all(ctx, argc - 2, argv + 2);
  curl_global_cleanup();
  return err ? fail("download", err) : 0;
}
