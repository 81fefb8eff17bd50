/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A web server for static files: HTTP/1.1, connections that are kept, requests
 * that are sent ahead (pipelining), GET and HEAD. Messages are parsed by
 * llhttp, which is Node's. A task serves each connection; SIGINT or SIGTERM
 * ends it all: who waits for a request at once, who answers one after that.
 *
 *     examples/httpd [ADDRESS [FOLDER]]      default: localhost:8080 .
 *
 *     srv := http.Server{Addr: addr, Handler: http.FileServer(http.Dir(dir)),
 *         ReadTimeout: 30 * time.Second}
 *     go func() { <-ctx.Done(); srv.Shutdown(context.Background()) }()
 *     srv.ListenAndServe()
 */
#define _GNU_SOURCE
#include "example.h"
#include "http.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  SMALL = 16384, /* a file that goes in one write with its headers */
  PATIENCE = 30, /* seconds for a request to come */
};

static const char index_name[] = "index.html";

_Static_assert(sizeof index_name <= HTTP_URL_ROOM, "behind a URL");

struct answer {
  int status;
  const char *reason;
  int file; /* -1: none, the reason is the body */
  size_t size;
  const char *type;
};

/* Files */

static int hex(char c) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) % 16 : -1;
}

/* The path of a URL, relative, without escapes; in place. False: it has an
   escape that is none, or leads out of the folder. */
static bool path_of(char *url) {
  char *to = url;
  url[strcspn(url, "?#")] = '\0';
  for (const char *from = url; *from; from++) {
    char c = *from;
    if (c == '%') {
      int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
      if (low < 0 || high + low == 0)
        return false;
      c = (char)(high * 16 + low);
      from += 2;
    }
    *to++ = c;
  }
  *to = '\0';
  if (url[0] != '/')
    return false;
  memmove(url, url + 1, strlen(url));
  for (const char *s = url; s; s = (s = strchr(s, '/')) ? s + 1 : NULL)
    if (s[0] == '/' || (s[0] == '.' && s[1] == '.' && (!s[2] || s[2] == '/')))
      return false;
  return true;
}

static const char *type_of(const char *path) {
  static const char *const types[][2] = {
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".json", "application/json"},
      {".png", "image/png"},
      {".svg", "image/svg+xml"},
  };
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
    if (strcmp(dot, types[i][0]) == 0)
      return types[i][1];
  return "application/octet-stream";
}

static struct answer without_file(int status, const char *reason) {
  return (struct answer){status, reason, -1, strlen(reason),
                         "text/plain; charset=utf-8"};
}

static struct answer find(int folder, char *path) {
  struct stat s;
  size_t n = strlen(path);
  if (n == 0 || path[n - 1] == '/')
    memcpy(path + n, index_name, sizeof index_name); /* there is room */
  int file = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file >= 0 && fstat(file, &s) == 0 && S_ISREG(s.st_mode))
    return (struct answer){200, "OK", file, (size_t)s.st_size, type_of(path)};
  if (file >= 0)
    close(file);
  return without_file(404, "Not Found");
}

static struct answer answer_to(struct http *r, int folder) {
  if (r->parser.method != HTTP_GET && r->parser.method != HTTP_HEAD)
    return without_file(405, "Method Not Allowed");
  if (r->too_long)
    return without_file(414, "URI Too Long");
  if (strlen(r->url) != r->url_length || !path_of(r->url))
    return without_file(400, "Bad Request");
  return find(folder, r->url);
}

/* Answers */

static int write_file(int conn, const struct answer *a, char *out, size_t n) {
  int err = 0;
  size_t had = 0;
  if (a->size <= SMALL) {
    ssize_t got = pread(a->file, out + n, a->size, 0);
    had = got < 0 ? 0 : (size_t)got;
  }
  err = gch_io_write(conn, out, n + had, NULL);
  uint64_t sent = had;
  if (!err && a->size > SMALL)
    err = gch_io_copy(conn, a->file, &sent);
  /* It was cut meanwhile: the connection can't say so but by ending. */
  return err ? err : sent == a->size ? 0 : EIO;
}

static int write_answer(int conn, const struct answer *a, bool head,
                        bool keep) {
  char out[512 + SMALL];
  int n = snprintf(out, 512,
                   "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
                   "Content-Length: %zu\r\n%s\r\n",
                   a->status, a->reason, a->type, a->size,
                   keep ? "" : "Connection: close\r\n");
  size_t used = (size_t)n;
  if (!head && a->file >= 0)
    return write_file(conn, a, out, used);
  if (!head) {
    memcpy(out + used, a->reason, a->size);
    used += a->size;
  }
  return gch_io_write(conn, out, used, NULL);
}

static int answer(struct http *r, int folder) {
  struct answer a = answer_to(r, folder);
  int err = write_answer(r->fd, &a, r->parser.method == HTTP_HEAD, !r->last);
  if (a.file >= 0)
    close(a.file);
  return err;
}

static void refuse(int conn) {
  struct answer a = without_file(400, "Bad Request");
  write_answer(conn, &a, false, false);
}

static void serve(const gch_ctx *ctx, int conn, void *arg) {
  const int *folder = arg;
  struct http r;
  int err;
  http_init(&r, conn, HTTP_REQUEST, false);
  do {
    gch_io_set_deadline(conn, GCH_IO_READ, gch_in(PATIENCE * GCH_SECOND));
    err = http_next(ctx, &r);
    if (err == EBADMSG)
      refuse(conn);
  } while (err == 0 && answer(&r, *folder) == 0 && !r.last);
}

GCH_MAIN(argc, argv) {
  const char *address = argc > 1 ? argv[1] : "localhost:8080";
  const char *name = argc > 2 ? argv[2] : ".";
  char where[128];
  int listener;
  int folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    return fail(name, errno);
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  if (!ctx)
    return fail("gch_signal_notify_ctx", ENOMEM);
  int err = gch_net_listen("tcp", address, &listener);
  if (err)
    return fail(address, err);
  gch_net_addr(listener, false, where, sizeof where);
  printf("listening on %s\n", where);
  fflush(stdout);
  err = gch_net_serve(ctx, listener, 0, serve, &folder);
  gch_io_close(listener);
  close(folder);
  return err ? fail("gch_net_serve", err) : 0;
}
