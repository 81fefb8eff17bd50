/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io.Copy, a piece at a time, by the first of these that the kernel takes for
 * the two descriptors:
 *
 *     SENDFILE   from a file
 *     SPLICE     from or to a pipe
 *     PIPED      by splice through a pipe of our own
 *     COPIED     through memory
 *
 * The first three only where no call can wait: what is waited for has
 * O_NONBLOCK set, is a pipe (which has its own flag in the call), or a file.
 *
 * A piece has the turn to read, then the one to write, mostly both. Who waits
 * for anything, a turn or readiness, is no user of the other end meanwhile: so
 * who closes that, or wants its turn, does not wait for this one's peer.
 */
#include "io/attempt.h"
#include "park/strict.h"

#include <gulch/go.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, ROOM = 64 * 1024 };

enum how { SENDFILE, SPLICE, PIPED, COPIED };

struct copy {
  int fds[GCH_FD_WAYS]; /* to read from, to write to; and what these were */
  const struct gch_fd *records[GCH_FD_WAYS];
  uint16_t generations[GCH_FD_WAYS];
  int64_t deadline;
  const gch_ctx *ctx;
  uint64_t *n; /* written; counted by who is still a user of the descriptor */
  enum how how;
  int pipe[2];
  char *room;
};

/* One end. */
struct end {
  bool pipe, file, waits; /* waits: a call on it may */
};

static struct end end_of(int fd) {
  struct stat st;
  struct end e = {.waits = true};
  int flags = fcntl(fd, F_GETFL);
  if (flags == -1 || fstat(fd, &st) != 0)
    return e;
  e.pipe = S_ISFIFO(st.st_mode);
  e.file = S_ISREG(st.st_mode);
  e.waits = !(e.pipe || e.file || flags & O_NONBLOCK);
  return e;
}

static enum how choose(const struct copy *k) {
  struct end to = end_of(k->fds[GCH_FD_WRITE]),
             from = end_of(k->fds[GCH_FD_READ]);
  if (to.waits || from.waits)
    return COPIED;
  if (from.pipe || to.pipe)
    return SPLICE;
  return from.file ? SENDFILE : PIPED;
}

/* What no kernel that refuses has begun with. */
static bool is_refused(int err) {
  return err == EINVAL || err == ENOSYS || err == EOPNOTSUPP || err == EPERM;
}

/* One call. */
static int move(const struct copy *k, int to, int from, size_t len, size_t *n) {
  struct gch_sigpipe sigpipe;
  ssize_t r;
  int err;
  gch__sigpipe_hold(&sigpipe, to);
  do {
    r = k->how == SENDFILE ? sendfile(to, from, NULL, len)
                           : splice(from, NULL, to, NULL, len,
                                    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    err = r < 0 ? errno : 0;
  } while (err == EINTR);
  gch__sigpipe_drop(&sigpipe, true); /* also after a part */
  *n = r > 0 ? (size_t)r : 0;
  return err;
}

static int note(struct copy *k, int way) {
  struct gch_fd *r;
  int err = gch__fd_enter(k->fds[way], 0, &r);
  if (err)
    return err;
  k->records[way] = r;
  k->generations[way] = r->generation;
  gch__fd_leave(r, 0);
  return 0;
}

/* EBUSY, where it is not to wait for the turn; EBADF: the number is another
   descriptor's than when the copy began. */
static int begin_by(const struct copy *k, struct gch_io_call *c, int way,
                    enum gch_io_turn turn) {
  static const char *const words[] = {"read", "write"};
  int err = gch__io_begin(c, words[way], k->fds[way], way, turn, k->deadline,
                          k->ctx);
  if (err == 0 && (c->record != k->records[way] ||
                   c->record->generation != k->generations[way]))
    err = EBADF;
  return err;
}

static int begin(const struct copy *k, struct gch_io_call *c, int way) {
  return begin_by(k, c, way, GCH_IO_TURN);
}

/* Both turns: waits for one, then for the other, until it has one and the other
   is free. An error: neither. */
static int begin_both(const struct copy *k, struct gch_io_call c[]) {
  for (int way = GCH_FD_READ;; way = !way) {
    int err = begin(k, &c[way], way);
    if (err)
      return gch__io_end(&c[way], err);
    err = begin_by(k, &c[!way], !way, GCH_IO_TURN_IF_FREE);
    if (err == 0)
      return 0;
    gch__io_end(&c[way], gch__io_end(&c[!way], 0));
    if (err != EBUSY)
      return err;
  }
}

static int await_one(struct gch_io_call *waits, struct gch_io_call *other) {
  gch__io_end(other, 0);
  return gch__io_end(waits, gch__io_await(waits));
}

static int await_either(struct gch_io_call c[]) {
  for (int way = 0; way < GCH_FD_WAYS; way++)
    if (gch__fd_look(c[way].fd, 1u << way) == 0)
      return await_one(&c[way], &c[!way]);
  gch__io_end(&c[GCH_FD_READ], gch__io_end(&c[GCH_FD_WRITE], 0));
  gch_yield(); /* something has come meanwhile */
  return 0;
}

/* From one to the other in one step. *n == 0: the end. */
static int piece_at_once(const struct copy *k, size_t *n) {
  struct gch_io_call c[GCH_FD_WAYS], *from = &c[GCH_FD_READ],
                                     *to = &c[GCH_FD_WRITE];
  for (;;) {
    int err = begin_both(k, c);
    if (err)
      return err;
    gch__io_look(from);
    gch__io_look(to);
    err = move(k, to->fd, from->fd, PIECE, n);
    *k->n += *n;
    if (err != EAGAIN)
      return gch__io_end(from, gch__io_end(to, err));
    err = await_either(c);
    if (err)
      return err;
  }
}

/* Into our pipe. */
static int piece_in(const struct copy *k, size_t *n) {
  struct gch_io_call c;
  int err = begin(k, &c, GCH_FD_READ);
  while (err == 0) {
    gch__io_look(&c);
    err = move(k, k->pipe[1], c.fd, PIECE, n);
    if (err != EAGAIN)
      break;
    err = gch__io_await(&c);
  }
  return gch__io_end(&c, err);
}

/* And out of it, all of it. */
static int piece_out(const struct copy *k, size_t len, size_t *n) {
  struct gch_io_call c;
  int err = begin(k, &c, GCH_FD_WRITE);
  while (err == 0 && *n < len) {
    size_t put;
    gch__io_look(&c);
    err = move(k, c.fd, k->pipe[0], len - *n, &put);
    *n += put;
    *k->n += put;
    if (err == EAGAIN)
      err = gch__io_await(&c);
    else if (err == 0 && put == 0)
      err = EIO;
  }
  return gch__io_end(&c, err);
}

static int read_piece(const struct copy *k, size_t *n) {
  struct gch_io_call c;
  int err = begin(k, &c, GCH_FD_READ);
  while (err == 0 &&
         (err = gch__attempt_read(&c, k->room, ROOM, n)) == EAGAIN)
    err = gch__io_await(&c);
  return gch__io_end(&c, err);
}

static int write_piece(const struct copy *k, size_t len, size_t *n) {
  struct gch_io_call c;
  int err = begin(k, &c, GCH_FD_WRITE);
  while (err == 0 && *n < len) {
    size_t put;
    err = gch__attempt_write(&c, k->room + *n, len - *n, &put);
    *n += put;
    *k->n += put;
    if (err == EAGAIN)
      err = gch__io_await(&c);
    else if (err == 0 && put == 0)
      err = EIO;
  }
  return gch__io_end(&c, err);
}

/* What this way needs. */
static int prepare(struct copy *k) {
  if (k->how == PIPED && k->pipe[0] < 0 && pipe2(k->pipe, O_CLOEXEC) != 0)
    k->how = COPIED; /* there are no more descriptors */
  if (k->how == COPIED && !k->room && !(k->room = malloc(ROOM)))
    return ENOMEM;
  return 0;
}

/* *end: there is no more. */
static int piece(struct copy *k, bool *end) {
  size_t in = 0, out = 0;
  int err = prepare(k);
  if (err)
    return err;
  if (k->how == PIPED)
    err = piece_in(k, &in);
  else if (k->how == COPIED)
    err = read_piece(k, &in);
  else
    err = piece_at_once(k, &out);
  if (err == 0 && k->how == PIPED)
    err = piece_out(k, in, &out);
  else if (err == 0 && k->how == COPIED && in > 0)
    err = write_piece(k, in, &out);
  *end = in == 0 && out == 0;
  return err;
}

/* Where the kernel refuses nothing is in our pipe: to write it was refused,
   that is read from there into memory. */
static int fall_back(struct copy *k) {
  ssize_t left;
  size_t put;
  int err;
  if (k->pipe[0] >= 0)
    fcntl(k->pipe[0], F_SETFL, O_NONBLOCK);
  k->how = COPIED;
  if ((err = prepare(k)) != 0 || k->pipe[0] < 0)
    return err;
  while (err == 0 && (left = read(k->pipe[0], k->room, ROOM)) > 0) {
    put = 0;
    err = write_piece(k, (size_t)left, &put);
  }
  return err;
}

static int copy_all(struct copy *k) {
  int err = k->ctx ? gch_ctx_err(k->ctx) : 0;
  bool end = false;
  for (int way = 0; way < GCH_FD_WAYS && err == 0; way++)
    err = note(k, way);
  if (err)
    return err;
  k->how = choose(k);
  while (err == 0 && !end) {
    err = piece(k, &end);
    if (err == 0 && !end && gch__has_passed(k->deadline))
      err = ETIMEDOUT;
    if (k->how != COPIED && is_refused(err)) {
      end = false;
      err = fall_back(k);
    }
  }
  return err;
}

static int copy(int to, int from, uint64_t *n, int64_t deadline,
                const gch_ctx *ctx) {
  uint64_t written;
  struct copy k = {.fds = {from, to},
                   .n = n ? n : &written,
                   .deadline = deadline,
                   .ctx = ctx,
                   .pipe = {-1, -1}};
  int saved = errno, cancel = gch__io_cancel_off();
  *k.n = 0;
  int err = copy_all(&k);
  if (k.pipe[0] >= 0) {
    close(k.pipe[0]);
    close(k.pipe[1]);
  }
  free(k.room);
  gch__io_cancel_as(cancel);
  errno = saved;
  return err;
}

int gch_io_copy(int to, int from, uint64_t *n) {
  return copy(to, from, n, GCH__FOREVER, NULL);
}

int gch_io_copy_until(int to, int from, uint64_t *n, int64_t deadline) {
  gch__check_deadline(deadline);
  return copy(to, from, n, deadline, NULL);
}

int gch_io_copy_ctx(const gch_ctx *ctx, int to, int from, uint64_t *n) {
  gch__check_ctx(ctx);
  return copy(to, from, n, GCH__FOREVER, ctx);
}
