/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.1 messages over a connection, for the examples that are web servers:
 * parsed by llhttp, which is Node's. Not a library: it has what they need.
 */
#ifndef GULCH_EXAMPLE_HTTP_H
#define GULCH_EXAMPLE_HTTP_H

#include <gulch.h>

#include <llhttp.h>

enum {
  HTTP_URL_MAX = 2048,
  HTTP_URL_ROOM = 16, /* behind it, for users */
  HTTP_IN_MAX = 8192,
  HTTP_TEXT_MAX = 8192, /* headers and body, where they are kept */
};

/* What comes over a connection: one message after the other. Its memory is the
   caller's, who also closes fd. */
struct http {
  llhttp_t parser; /* its data is this */
  int fd;
  const char *at, *end; /* what was read, and not yet parsed */
  bool paused;

  /* The message. */
  bool last;     /* none is to come after it */
  bool too_long; /* there was no room for all of it */
  size_t url_length;
  char url[HTTP_URL_MAX + HTTP_URL_ROOM]; /* a string */
  size_t used; /* of text: "name", "value", … and then the body, a string */
  char *body;
  char text[HTTP_TEXT_MAX];

  char in[HTTP_IN_MAX];
};

/* type: HTTP_REQUEST or HTTP_RESPONSE. Headers and bodies are kept only where
   they are wanted. */
void http_init(struct http *h, int fd, llhttp_type_t type, bool keeps_text);

/* The next message, whole. 0; ENODATA: no more comes; EBADMSG: what came is no
   HTTP; or what gch_io_read_ctx gives. */
int http_next(const gch_ctx *ctx, struct http *h);

/* Of the message; NULL: it has none. In the name case does not matter. */
const char *http_header(const struct http *h, const char *name);

/* Sends an answer of plain text. `headers`: whole lines, or "". */
int http_answer(const gch_ctx *ctx, struct http *h, int status,
                const char *reason, const char *headers, const char *body);

/* Gets http://ADDRESS/PATH by a connection of its own, which is closed when ctx
   is done. 0, and the answer in *h; else an error. */
int http_get(const gch_ctx *ctx, const char *address, const char *path,
             const char *headers, struct http *h);

/*
 * Listens on address, says "listening on HOST:PORT", and serves all who come
 * until SIGINT or SIGTERM: calls handle for each request. The context that it
 * gets is done as soon as the client goes away; then there is nobody to answer.
 * arg is passed on. An exit status.
 *
 * As in Go's net/http a client that sends no more has gone away, while its
 * request is answered; and one that has sent the next request ahead is no
 * longer watched until that is looked at.
 */
int http_main(const char *address,
              void (*handle)(const gch_ctx *ctx, struct http *h, void *arg),
              void *arg);

#endif
