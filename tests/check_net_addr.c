/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as they are read and printed, and what a listener is. */
#include "net_facts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

static bool has_ip6(void) {
  int fd = -1;
  if (gch_net_listen("tcp6", "[::1]:0", &fd) != 0)
    return false;
  gch_io_close(fd);
  return true;
}

/* Printing */

/* What is printed of a datagram socket that is bound to ip (of IPv6), with the
   port cut off. */
static void expect_printed(const char *ip, uint32_t scope, const char *want) {
  char text[128];
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_scope_id = scope};
  ck_assert_int_eq(inet_pton(AF_INET6, ip, &a.sin6_addr), 1);
  setsockopt(fd, IPPROTO_IPV6, 78 /* IPV6_FREEBIND */, &on, sizeof on);
  on = 0;
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  ck_assert_msg(bind(fd, (struct sockaddr *)&a, sizeof a) == 0, "%s: %s", ip,
                strerror(errno));
  name_of(fd, text);
  *strrchr(text, ':') = '\0';
  ck_assert_str_eq(text, want);
  close(fd);
}

START_TEST(internet_addresses_are_printed_as_go_does) {
  char text[128], want[128];
  int fd = listener("tcp4", "127.0.0.1:0");
  snprintf(want, sizeof want, "127.0.0.1:%d", port_of(fd));
  ck_assert_str_eq(name_of(fd, text), want);
  gch_io_close(fd);
  if (!has_ip6())
    return;
  expect_printed("::1", 0, "[::1]");
  expect_printed("::", 0, "[::]");
  expect_printed("2001:db8:0:1:0:0:0:1", 0, "[2001:db8:0:1::1]");
  expect_printed("2001:db8:1:0:0:2:0:0", 0, "[2001:db8:1::2:0:0]");
  expect_printed("2001:db8:0:1:1:1:1:1", 0, "[2001:db8:0:1:1:1:1:1]");
  expect_printed("::ffff:127.0.0.1", 0, "127.0.0.1");
  expect_printed("::102:304", 0, "[::102:304]");
  expect_printed("fe80::1", if_nametoindex("lo"), "[fe80::1%lo]");
}
END_TEST

START_TEST(unix_addresses_are_printed_as_go_does) {
  char text[128], path[64];
  snprintf(path, sizeof path, "/tmp/gulch.%d", (int)getpid());
  int fd = listener("unix", path), conn = dialled("unix", path);
  int got = accepted(fd);
  ck_assert_str_eq(name_of(fd, text), path);
  ok(gch_net_addr(conn, true, text, sizeof text));
  ck_assert_str_eq(text, path);
  ck_assert_str_eq(name_of(conn, text), "@");
  ok(gch_net_addr(got, true, text, sizeof text));
  ck_assert_str_eq(text, "@");
  gch_io_close(got);
  gch_io_close(conn);
  gch_io_close(fd);
  ck_assert_int_eq(gch_net_listen("unix", path, &fd), EADDRINUSE);
  unlink(path);
  snprintf(path, sizeof path, "@gulch.%d", (int)getpid());
  fd = listener("unix", path);
  ck_assert_str_eq(name_of(fd, text), path);
  conn = dialled("unix", path);
  got = accepted(fd);
  expect_joined(conn, got);
  gch_io_close(got);
  gch_io_close(conn);
  gch_io_close(fd);
  fd = listener("unix", ""); /* the system chooses one */
  ck_assert_int_eq(name_of(fd, text)[0], '@');
  ck_assert_uint_gt(strlen(text), 1);
  gch_io_close(fd);
}
END_TEST

START_TEST(what_does_not_fit_is_cut) {
  char text[8] = "#######";
  int fd = listener("tcp4", "127.0.0.1:0");
  errno = 77;
  ck_assert_int_eq(gch_net_addr(fd, false, text, sizeof text), ERANGE);
  ck_assert_str_eq(text, "127.0.0");
  ck_assert_int_eq(gch_net_addr(fd, false, NULL, 0), ERANGE);
  ck_assert_int_eq(errno, 77);
  gch_io_close(fd);
}
END_TEST

START_TEST(what_has_no_address_is_told) {
  char text[64];
  int fd = listener("tcp4", "127.0.0.1:0"), pipes[2];
  ck_assert_int_eq(gch_net_addr(fd, true, text, sizeof text), ENOTCONN);
  gch_io_close(fd);
  ok(pipe(pipes));
  ck_assert_int_eq(gch_net_addr(pipes[0], false, text, sizeof text), ENOTSOCK);
  close(pipes[0]);
  close(pipes[1]);
  ck_assert_int_eq(gch_net_addr(-1, false, text, sizeof text), EBADF);
  fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    ck_assert_int_eq(gch_net_addr(fd, false, text, sizeof text), EAFNOSUPPORT);
    close(fd);
  }
}
END_TEST

/* Reading */

START_TEST(malformed_addresses_are_refused) {
  static const char *const wrong[] = {"127.0.0.1",
                                      "localhost",
                                      "::1:80",
                                      "[::1]",
                                      "[::1]80",
                                      "[::1:80",
                                      "::1]:80",
                                      "a[b]:80",
                                      "[[::1]]:80",
                                      "127.0.0.1:80:80",
                                      ":65536",
                                      ":99999999999",
                                      ":-1",
                                      ":no-such-service",
                                      "127.0.0.1:no-such-service",
                                      "[::1]:80]"};
  int fd;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ck_assert_msg(gch_net_listen("tcp", wrong[i], &fd) == EINVAL, "%s",
                  wrong[i]);
    ck_assert_msg(gch_net_dial(bg(), "tcp", wrong[i], &fd) == EINVAL, "%s",
                  wrong[i]);
  }
  ck_assert_int_eq(gch_net_dial(bg(), "tcp", "", &fd), EINVAL);
  ck_assert_int_eq(gch_net_dial(bg(), "unix", "", &fd), EINVAL);
  ck_assert_int_eq(gch_net_dial(bg(), "tcp", NULL, &fd), EINVAL);
  ck_assert_int_eq(gch_net_listen("tcp", NULL, &fd), EINVAL);
  ck_assert_int_eq(gch_net_listen("tcp4", "[::1]:0", &fd), EINVAL);
  ck_assert_int_eq(gch_net_listen("tcp6", "127.0.0.1:0", &fd), EINVAL);
  static const char *const networks[] = {"", "tcp5", "TCP", "ip", NULL};
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
    ck_assert_int_eq(gch_net_listen(networks[i], ":0", &fd), EINVAL);
    ck_assert_int_eq(gch_net_dial(bg(), networks[i], ":1", &fd), EINVAL);
  }
  ck_assert_int_eq(gch_net_listen("udp", ":0", &fd), EINVAL);
}
END_TEST

START_TEST(a_unix_path_may_be_as_long_as_the_system_takes) {
  struct sockaddr_un un;
  char path[sizeof un.sun_path + 2], text[128];
  int fd;
  memset(path, 'x', sizeof path);
  path[0] = '@';
  path[sizeof path - 1] = '\0';
  ck_assert_int_eq(gch_net_listen("unix", path, &fd), EINVAL);
  path[sizeof path - 2] = '\0';
  fd = listener("unix", path);
  ck_assert_str_eq(name_of(fd, text), path);
  gch_io_close(fd);
  memcpy(path, "/tmp/", 5);
  ck_assert_int_eq(gch_net_listen("unix", path, &fd), EINVAL);
}
END_TEST

START_TEST(services_and_names_are_looked_up) {
  int fd = listener("tcp4", "localhost:0");
  char address[64], text[128];
  ck_assert_int_eq(strncmp(name_of(fd, text), "127.0.0.1:", 10), 0);
  snprintf(address, sizeof address, "localhost:%d", port_of(fd));
  int conn = dialled("tcp4", address), got = accepted(fd);
  expect_joined(conn, got);
  gch_io_close(conn);
  gch_io_close(got);
  gch_io_close(fd);
  int err = gch_net_dial(bg(), "tcp4", "127.0.0.1:tcpmux", &fd);
  ck_assert_int_eq(err, ECONNREFUSED); /* a port that nobody has */
}
END_TEST

START_TEST(a_zone_is_a_name_or_a_number) {
  int fd;
  if (!has_ip6())
    return;
  ck_assert_int_eq(gch_net_listen("tcp", "[fe80::1%nosuch0]:0", &fd),
                   EHOSTUNREACH);
  int err = gch_net_listen("tcp", "[fe80::1%lo]:0", &fd);
  ck_assert_int_eq(err, EADDRNOTAVAIL);
  err = gch_net_listen("tcp", "[fe80::1%1]:0", &fd);
  ck_assert_int_eq(err, EADDRNOTAVAIL);
}
END_TEST

/* Listeners */

/* Whether who dials this of the listener's port comes through. */
static bool reaches(int fd, const char *network, const char *host) {
  char address[64];
  int conn;
  snprintf(address, sizeof address, "%s:%d", host, port_of(fd));
  if (gch_net_dial(bg(), network, address, &conn) != 0)
    return false;
  int got = accepted(fd);
  expect_joined(got, conn);
  gch_io_close(conn);
  gch_io_close(got);
  return true;
}

START_TEST(a_listener_without_a_host_is_open_to_both_families) {
  static const char *const all[] = {"", ":0", "0.0.0.0:0", "[::]:0"};
  bool six = has_ip6();
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    int fd = listener("tcp", all[i]);
    ck_assert(reaches(fd, "tcp", "127.0.0.1"));
    ck_assert(reaches(fd, "tcp", ""));
    ck_assert(!six || reaches(fd, "tcp", "[::1]"));
    ck_assert(!six || reaches(fd, "tcp6", ""));
    gch_io_close(fd);
  }
  int fd = listener("tcp4", ":0");
  ck_assert(reaches(fd, "tcp4", ""));
  ck_assert(!reaches(fd, "tcp6", "[::1]"));
  gch_io_close(fd);
  if (!six)
    return;
  fd = listener("tcp6", ":0");
  ck_assert(reaches(fd, "tcp6", ""));
  ck_assert(!reaches(fd, "tcp4", "127.0.0.1"));
  gch_io_close(fd);
}
END_TEST

static int option(int fd, int level, int name) {
  int value = -1;
  socklen_t len = sizeof value;
  ok(getsockopt(fd, level, name, &value, &len));
  return value;
}

static void expect_options(int fd) {
  ck_assert_int_ne(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  ck_assert_int_ne(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 15);
  ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 15);
  ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

START_TEST(connections_have_gos_options) {
  int fd = listener("tcp", "127.0.0.1:0");
  char text[128];
  int conn = dialled("tcp", name_of(fd, text)), got = accepted(fd);
  expect_options(conn);
  expect_options(got);
  ck_assert_int_ne(option(fd, SOL_SOCKET, SO_REUSEADDR), 0);
  ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  gch_io_close(conn);
  gch_io_close(got);
  gch_io_close(fd);
}
END_TEST

START_TEST(the_backlog_is_the_largest) {
  int fd = listener("tcp", "127.0.0.1:0"), most = 0;
  FILE *f = fopen("/proc/sys/net/core/somaxconn", "r");
  if (f && fscanf(f, "%d", &most) != 1)
    most = 0;
  if (f)
    fclose(f);
  struct tcp_info info;
  socklen_t len = sizeof info;
  ok(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
  if (most > 0) /* of a listener: its backlog */
    ck_assert_uint_eq(info.tcpi_sacked, (unsigned)most);
  gch_io_close(fd);
}
END_TEST

START_TEST(an_address_in_use_is_refused_and_nothing_left_open) {
  int fd = listener("tcp", "127.0.0.1:0"), other, before = fd_count();
  char text[128];
  ck_assert_int_eq(gch_net_listen("tcp", name_of(fd, text), &other),
                   EADDRINUSE);
  ck_assert_int_eq(fd_count(), before);
  ok(gch_net_listen("tcp", ":0", NULL));
  ck_assert_int_eq(fd_count(), before);
  gch_io_close(fd);
}
END_TEST

START_TEST(unix_packets_are_a_network) {
  char name[64];
  snprintf(name, sizeof name, "@gulch.packet.%d", (int)getpid());
  int fd = listener("unixpacket", name), conn = dialled("unixpacket", name);
  int got = accepted(fd);
  expect_joined(conn, got);
  gch_io_close(conn);
  gch_io_close(got);
  gch_io_close(fd);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("net, addresses");
  TCase *t = test_case(s, "printing");
  tcase_add_test(t, internet_addresses_are_printed_as_go_does);
  tcase_add_test(t, unix_addresses_are_printed_as_go_does);
  tcase_add_test(t, what_does_not_fit_is_cut);
  tcase_add_test(t, what_has_no_address_is_told);
  t = test_case(s, "reading");
  tcase_add_test(t, malformed_addresses_are_refused);
  tcase_add_test(t, a_unix_path_may_be_as_long_as_the_system_takes);
  tcase_add_test(t, services_and_names_are_looked_up);
  tcase_add_test(t, a_zone_is_a_name_or_a_number);
  t = test_case(s, "listeners");
  tcase_add_test(t, a_listener_without_a_host_is_open_to_both_families);
  tcase_add_test(t, connections_have_gos_options);
  tcase_add_test(t, the_backlog_is_the_largest);
  tcase_add_test(t, an_address_in_use_is_refused_and_nothing_left_open);
  tcase_add_test(t, unix_packets_are_a_network);
  return s;
}
