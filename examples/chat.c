/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The chat server of Donovan and Kernighan's book (8.10), with names and an
 * idle time: a client's first line is its name; what it says then all hear. Who
 * says nothing for a minute (or what is given in milliseconds) has to go. One
 * that reads too slowly loses lines; nobody waits for it.
 *
 *     chat [ADDRESS [MILLISECONDS]]
 *
 *     func broadcaster() {
 *         clients := make(map[client]bool)
 *         for {
 *             select {
 *             case msg := <-messages:
 *                 for cli := range clients {
 *                     select {
 *                     case cli.out <- msg:
 *                     default: // it reads too slowly
 *                     }
 *                 }
 *             case cli := <-entering:
 *                 clients[cli] = true
 *             case cli := <-leaving:
 *                 delete(clients, cli)
 *                 close(cli.out)
 *             }
 *         }
 *     }
 *
 *     func handleConn(conn net.Conn) {
 *         cli := client{make(chan string, 16)}
 *         go clientWriter(conn, cli.out)
 *         input := bufio.NewScanner(conn)
 *         who := name(input)
 *         entering <- cli
 *         messages <- who + " has arrived"
 *         for conn.SetReadDeadline(time.Now().Add(idle)); input.Scan(); … {
 *             messages <- who + ": " + input.Text()
 *         }
 *         leaving <- cli
 *         messages <- who + " has left"
 *         conn.Close()
 *     }
 */
#include "example.h"

#include <signal.h>
#include <string.h>

enum { LINE = 200, WAITING = 16 };

struct line {
  char text[LINE];
};

/* Its handler's; listed by the broadcaster between entering and leaving. */
struct client {
  gch_chan *out; /* of struct line; closed: has left */
  struct client *next;
};

struct room {
  gch_chan *entering, *leaving; /* of struct client * */
  gch_chan *messages;           /* of struct line; closed: the end */
  int64_t idle;
};

/* The broadcaster */

static void send_to_all(struct client *clients, const struct line *line) {
  for (struct client *c = clients; c; c = c->next)
    gch_try_send(c->out, line);
}

static void leave(struct client **clients, struct client *c) {
  while (*clients != c)
    clients = &(*clients)->next;
  *clients = c->next;
  gch_close(c->out);
}

static void broadcast(void *arg) {
  struct room *room = arg;
  struct client *clients = NULL, *c;
  struct line line;
  for (int err = 0;;)
    switch (gch_select(GCH_RECV_ERR(room->messages, &line, &err),
                       GCH_RECV(room->entering, &c),
                       GCH_RECV(room->leaving, &c))) {
    case 0:
      if (err)
        return;
      send_to_all(clients, &line);
      break;
    case 1:
      c->next = clients;
      clients = c;
      break;
    case 2:
      leave(&clients, c);
    }
}

/* A client */

struct writer {
  int conn;
  gch_chan *out;
};

static void write_lines(void *arg) {
  struct writer *w = arg;
  struct line line;
  while (gch_recv(w->out, &line) == 0) {
    strcat(line.text, "\n");
    if (gch_io_write(w->conn, line.text, strlen(line.text), NULL) != 0)
      break;
  }
}

struct scanner {
  int conn;
  size_t have;
  char buf[LINE / 2];
};

/* The next line, or as much of it as there is room for. 0, or why there is
   none: ENODATA, ETIMEDOUT, ECANCELED, … */
static int scan(const gch_ctx *ctx, struct scanner *s, int64_t idle,
                char line[LINE / 2]) {
  GCH_CTX_AUTO gch_ctx *until = gch_ctx_with_timeout(ctx, idle);
  for (;;) {
    char *end = memchr(s->buf, '\n', s->have);
    size_t n = end ? (size_t)(end - s->buf) : s->have, got;
    if (end || n == sizeof s->buf - 1) {
      memcpy(line, s->buf, n);
      line[n] = '\0';
      s->have -= n + (end != NULL);
      memmove(s->buf, s->buf + n + (end != NULL), s->have);
      return 0;
    }
    int err = gch_io_read_ctx(until, s->conn, s->buf + n, sizeof s->buf - 1 - n,
                              &got);
    if (err || got == 0)
      return err ? err : ENODATA;
    s->have += got;
  }
}

/* printf of a line for all; not a call to wait in where ctx is done. */
__attribute__((format(printf, 3, 4))) static void
say(const gch_ctx *ctx, struct room *room, const char *format, ...) {
  struct line line;
  va_list args;
  va_start(args, format);
  vsnprintf(line.text, LINE - 1, format, args);
  va_end(args);
  gch_send_ctx(ctx, room->messages, &line);
}

static void talk(const gch_ctx *ctx, struct scanner *s, struct room *room,
                 struct client *c) {
  char who[LINE / 2], text[LINE / 2];
  int err = scan(ctx, s, room->idle, who);
  if (err)
    return;
  gch_send(room->entering, &c);
  say(ctx, room, "%.40s has arrived", who);
  while ((err = scan(ctx, s, room->idle, text)) == 0)
    say(ctx, room, "%.40s: %s", who, text);
  gch_send(room->leaving, &c);
  say(ctx, room, err == ETIMEDOUT ? "%.40s fell asleep" : "%.40s has left",
      who);
}

static void handle(const gch_ctx *ctx, int conn, void *arg) {
  struct client c = {gch_make_of(struct line, WAITING), NULL};
  struct writer w = {conn, c.out};
  struct scanner s = {.conn = conn};
  gch_wg wg = GCH_WG_INIT;
  if (!c.out || gch_wg_go(&wg, write_lines, &w) != 0)
    goto out;
  talk(ctx, &s, arg, &c);
  gch_close(c.out); /* if it has not come so far as to enter */
  gch_io_set_deadline(conn, GCH_IO_WRITE, gch_in(GCH_SECOND));
  gch_wg_wait(&wg);
out:
  gch_unref(c.out);
}

GCH_MAIN(argc, argv) {
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  GCH_AUTO gch_chan *entering = gch_make_of(struct client *, 0);
  GCH_AUTO gch_chan *leaving = gch_make_of(struct client *, 0);
  GCH_AUTO gch_chan *messages = gch_make_of(struct line, 0);
  if (!ctx || !entering || !leaving || !messages)
    return fail("cannot set up the room", ENOMEM);

  int ln, err = gch_net_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:0", &ln);
  if (err)
    return fail("gch_net_listen", err);
  char name[64];
  gch_net_addr(ln, false, name, sizeof name);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on %s\n", name);

  struct room room = {entering, leaving, messages,
                      (argc > 2 ? atoi(argv[2]) : 60000) * GCH_MILLISECOND};
  gch_wg wg = GCH_WG_INIT;
  gch_must(gch_wg_go(&wg, broadcast, &room));
  err = gch_net_serve(ctx, ln, 0, handle, &room);
  gch_close(messages);
  gch_wg_wait(&wg);
  gch_io_close(ln);
  return err ? fail("gch_net_serve", err) : 0;
}
