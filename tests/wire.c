/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client for shell scripts, of plain system calls:
 *
 *     wire PORT [STEP…]
 *
 * connects to 127.0.0.1:PORT and takes the steps:
 *
 *     +text      sends text and a newline
 *     =text      reads a line, which has to be text
 *     ~text      reads lines until one is text
 *     shut       sends no more
 *     end        reads what there is to the end; there has to be nothing
 *     rest       the same, and prints it
 *     held       nothing comes, and no end, for a fifth of a second
 *     listen     in place of PORT: listens on a port of its own, prints it, and
 *                serves one connection
 *     into:FILE  waits until FILE is there
 *     made:FILE  makes it
 *
 * It ends with 0, or says which step failed. After ten seconds it gives up.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Noreturn void stop(const char *step, const char *why) {
  fprintf(stderr, "wire: %s: %s\n", step, why);
  exit(1);
}

static struct sockaddr_in address(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int join(const char *port) {
  struct sockaddr_in a = address(atoi(port));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
    stop(port, "can't connect");
  return fd;
}

static int await(void) {
  struct sockaddr_in a = address(0);
  socklen_t len = sizeof a;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
      listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
    stop("listen", "can't listen");
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  int conn = accept(fd, NULL, NULL);
  close(fd);
  if (conn < 0)
    stop("listen", "can't accept");
  return conn;
}

static void send_line(int fd, const char *text) {
  char line[512];
  int n = snprintf(line, sizeof line, "%s\n", text);
  if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
    stop(text, "can't send");
}

/* Without its newline; false at the end. */
static int read_line(int fd, char line[512]) {
  size_t n = 0;
  char c = '\0';
  while (n < 511 && read(fd, &c, 1) == 1 && c != '\n')
    line[n++] = c;
  line[n] = '\0';
  return n > 0 || c == '\n';
}

static void expect(int fd, const char *step) {
  char line[512];
  do {
    if (!read_line(fd, line))
      stop(step, "the end");
    if (strcmp(line, step + 1) == 0)
      return;
  } while (*step == '~');
  stop(step, line);
}

static void rest(int fd, int prints) {
  char buf[4096];
  ssize_t n;
  while ((n = read(fd, buf, sizeof buf)) > 0) {
    if (!prints)
      stop("end", "there is more");
    fwrite(buf, 1, (size_t)n, stdout);
  }
}

static void take(int fd, const char *step) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (*step == '+')
    send_line(fd, step + 1);
  else if (*step == '=' || *step == '~')
    expect(fd, step);
  else if (strcmp(step, "shut") == 0)
    shutdown(fd, SHUT_WR);
  else if (strcmp(step, "held") == 0)
    poll(&p, 1, 200) == 0 ? (void)0 : stop(step, "something came");
  else if (strcmp(step, "end") == 0 || strcmp(step, "rest") == 0)
    rest(fd, *step == 'r');
  else if (strncmp(step, "into:", 5) == 0)
    while (access(step + 5, F_OK) != 0)
      usleep(10000);
  else if (strncmp(step, "made:", 5) == 0)
    close(open(step + 5, O_CREAT | O_WRONLY, 0600));
  else
    stop(step, "no such step");
}

int main(int argc, char **argv) {
  if (argc < 2)
    stop("wire", "no port");
  alarm(10);
  int fd = strcmp(argv[1], "listen") == 0 ? await() : join(argv[1]);
  for (int i = 2; i < argc; i++)
    take(fd, argv[i]);
  return 0;
}
