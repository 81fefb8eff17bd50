/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages: http.h. */
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What llhttp tells, piece by piece. */

static int on_begin(llhttp_t *p) {
  struct http *h = p->data;
  h->too_long = h->last = false;
  h->url_length = h->used = 0;
  h->url[0] = '\0';
  h->body = NULL;
  return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t n) {
  struct http *h = p->data;
  if (n >= HTTP_URL_MAX - h->url_length) {
    h->too_long = true;
    return 0;
  }
  memcpy(h->url + h->url_length, at, n);
  h->url_length += n;
  h->url[h->url_length] = '\0';
  return 0;
}

/* The last byte stays free for the end of the body. */
static int on_text(llhttp_t *p, const char *at, size_t n) {
  struct http *h = p->data;
  if (n >= HTTP_TEXT_MAX - h->used) {
    h->too_long = true;
    return 0;
  }
  memcpy(h->text + h->used, at, n);
  h->used += n;
  return 0;
}

/* What comes after the body, as trailers of chunks do, is left out. */
static int on_header(llhttp_t *p, const char *at, size_t n) {
  struct http *h = p->data;
  return h->body ? 0 : on_text(p, at, n);
}

static int on_header_end(llhttp_t *p) {
  return on_header(p, "", 1);
}

static int on_headers_end(llhttp_t *p) {
  struct http *h = p->data;
  h->body = h->text + h->used;
  return 0;
}

/* So that each message is dealt with before the next is looked at. */
static int on_complete(llhttp_t *p) {
  struct http *h = p->data;
  h->text[h->used] = '\0';
  h->last = !llhttp_should_keep_alive(p);
  return HPE_PAUSED;
}

static const llhttp_settings_t without_text = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_message_complete = on_complete,
};

static const llhttp_settings_t with_text = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_header,
    .on_header_field_complete = on_header_end,
    .on_header_value = on_header,
    .on_header_value_complete = on_header_end,
    .on_headers_complete = on_headers_end,
    .on_body = on_text,
    .on_message_complete = on_complete,
};

/* Reading */

void http_init(struct http *h, int fd, llhttp_type_t type, bool keeps_text) {
  llhttp_init(&h->parser, type, keeps_text ? &with_text : &without_text);
  h->parser.data = h;
  h->fd = fd;
  h->at = h->end = h->in;
  h->paused = false;
  on_begin(&h->parser);
}

static int fill(const gch_ctx *ctx, struct http *h) {
  size_t n;
  int err = gch_io_read_ctx(ctx, h->fd, h->in, sizeof h->in, &n);
  h->at = h->in;
  h->end = h->in + n;
  return err == 0 && n == 0 ? ENODATA : err;
}

int http_next(const gch_ctx *ctx, struct http *h) {
  if (h->paused)
    llhttp_resume(&h->parser);
  h->paused = false;
  for (;;) {
    if (h->at == h->end) {
      int err = fill(ctx, h);
      if (err)
        return err;
    }
    llhttp_errno_t e =
        llhttp_execute(&h->parser, h->at, (size_t)(h->end - h->at));
    h->paused = e == HPE_PAUSED;
    if (e != HPE_OK && e != HPE_PAUSED) {
      h->last = true;
      return EBADMSG;
    }
    h->at = h->paused ? llhttp_get_error_pos(&h->parser) : h->end;
    if (h->paused)
      return 0;
  }
}

const char *http_header(const struct http *h, const char *name) {
  const char *at = h->text;
  if (h->too_long || !h->body)
    return NULL;
  while (at < h->body) {
    const char *value = at + strlen(at) + 1;
    if (strcasecmp(at, name) == 0)
      return value;
    at = value + strlen(value) + 1;
  }
  return NULL;
}

/* Writing */

/* A message in one write; n: what snprintf said of it. */
static int write_whole(const gch_ctx *ctx, int fd, const char *text, int n,
                       size_t room) {
  if (n < 0 || (size_t)n >= room)
    return EMSGSIZE;
  return gch_io_write_ctx(ctx, fd, text, (size_t)n, NULL);
}

int http_answer(const gch_ctx *ctx, struct http *h, int status,
                const char *reason, const char *headers, const char *body) {
  char out[HTTP_TEXT_MAX + 512];
  int n = snprintf(out, sizeof out,
                   "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\n"
                   "Content-Length: %zu\r\n%s%s\r\n%s",
                   status, reason, strlen(body), headers,
                   h->last ? "Connection: close\r\n" : "", body);
  return write_whole(ctx, h->fd, out, n, sizeof out);
}

int http_get(const gch_ctx *ctx, const char *address, const char *path,
             const char *headers, struct http *h) {
  char out[HTTP_URL_MAX + 512];
  int fd, err = gch_net_dial(ctx, "tcp", address, &fd);
  if (err)
    return err;
  http_init(h, fd, HTTP_RESPONSE, true);
  int n = snprintf(out, sizeof out,
                   "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                   "%s\r\n",
                   path, address, headers);
  err = write_whole(ctx, fd, out, n, sizeof out);
  if (err == 0)
    err = http_next(ctx, h);
  if (err == 0 && h->too_long)
    err = EMSGSIZE;
  gch_io_close(fd);
  return err;
}
