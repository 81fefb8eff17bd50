/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors that are still open: those that have to be closed by
   gch_io_close, and that this process itself has adopted. */
#include "debug/code.h"
#include "debug/dump.h"
#include "io/call.h"
#include "io/made.h"

#include <gulch/net.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct list {
  FILE *out;
  struct gch_code *code; /* made for the first */
  size_t n;
};

static const char *kind_of_socket(int fd) {
  int domain = gch__socket_option(fd, SO_DOMAIN);
  if (domain == AF_UNIX)
    return "unix";
  if (domain != AF_INET && domain != AF_INET6)
    return "socket";
  return gch__socket_option(fd, SO_TYPE) == SOCK_STREAM ? "tcp" : "udp";
}

static const char *kind_of(int fd) {
  struct stat s;
  if (fstat(fd, &s) != 0)
    return "unknown";
  switch (s.st_mode & S_IFMT) {
  case S_IFSOCK:
    return kind_of_socket(fd);
  case S_IFIFO:
    return "pipe";
  case S_IFCHR:
    return "device";
  case S_IFREG:
    return "file";
  default: /* an eventfd, a timerfd */
    return "descriptor";
  }
}

static void print_address(FILE *out, const char *before, int fd, bool remote) {
  char address[128] = "";
  int err = gch_net_addr(fd, remote, address, sizeof address);
  if ((err && err != ERANGE) || !address[0])
    return;
  gch__make_printable(address);
  fprintf(out, "%s%s", before, address);
}

static void print_fd(struct list *l, int fd, uint8_t origin) {
  static const char *const words[] = {[GCH_FD_ADOPTED] = "adopted",
                                      [GCH_FD_ACCEPTED] = "accepted",
                                      [GCH_FD_CONNECTED] = "connected"};
  const void *maker = gch__fd_maker(fd);
  bool listens = gch__socket_option(fd, SO_ACCEPTCONN) == 1;
  if (l->n++ == 0)
    l->code = gch__code_new();
  fprintf(l->out, "fd %d: open, %s", fd, kind_of(fd));
  print_address(l->out, listens ? " listening on " : " ", fd, false);
  print_address(l->out, " to ", fd, true);
  fprintf(l->out, ", %s by ", words[origin]);
  if (maker)
    gch__print_place(l->out, l->code, maker);
  else
    fputs("a thread", l->out);
  fputc('\n', l->out);
}

static void see_fd(struct gch_fd *r, void *list) {
  gch__lock(&r->lock);
  bool counts = r->adopted && r->origin != GCH_FD_INHERITED &&
                !(atomic_load(&r->state) & GCH_FD_GONE);
  int fd = r->fd;
  uint8_t origin = r->origin;
  gch__unlock(&r->lock);
  if (counts && gch__fd_at(fd) == r && fcntl(fd, F_GETFD) != -1)
    print_fd(list, fd, origin);
}

size_t gch__list_open_fds(FILE *out) {
  struct list l = {out, NULL, 0};
  gch__fd_each(see_fd, &l);
  gch__code_free(l.code);
  return l.n;
}
