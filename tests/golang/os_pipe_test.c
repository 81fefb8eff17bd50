/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's os/pipe_test.go, and of os/timeout_test.go what is about pipes and
   terminals. Each for pipes that were adopted and for others. */
#define _GNU_SOURCE
#include "conn_checks.h"
#include "../scene.h"

#include <fcntl.h>

static void make_pipe(int p[2], bool adopted) {
  ok(pipe(p));
  for (int i = 0; adopted && i < 2; i++)
    ok(gch_io_adopt(p[i]));
}

static void close_pipe(int p[2]) {
  gch_io_close(p[0]);
  gch_io_close(p[1]);
}

START_TEST(TestEPIPE) {
  int p[2];
  make_pipe(p, _i);
  ok(gch_io_close(p[0]));
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(gch_io_write(p[1], "hi", 2, NULL), EPIPE);
  gch_io_close(p[1]);
}
END_TEST

/* How one ends that writes to a pipe without readers: as descriptor 1, or
   another. */
static int end_of_writer(int as) {
  int p[2];
  ok(pipe(p));
  close(p[0]);
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    dup2(p[1], as);
    int err = gch_io_write(as, "x", 1, NULL);
    _exit(err == EPIPE ? 7 : 8);
  }
  close(p[1]);
  int status;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  return status;
}

START_TEST(TestStdPipe) {
  for (int fd = 1; fd <= 2; fd++) {
    int status = end_of_writer(fd);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
  }
  int status = end_of_writer(99);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
END_TEST

static void close_fd(void *arg) {
  ok(gch_io_close(*(int *)arg));
}

START_TEST(TestClosedPipeRaceRead) {
  for (int i = 0; i < scaled(100); i++) {
    int p[2];
    char c;
    make_pipe(p, _i);
    test_thread *t = thread_start(close_fd, &p[0]);
    ck_assert_int_eq(gch_io_read(p[0], &c, 1, NULL), EBADF);
    thread_join(t);
    gch_io_close(p[1]);
  }
}
END_TEST

START_TEST(TestClosedPipeRaceWrite) {
  static const char much[1 << 18];
  for (int i = 0; i < scaled(100); i++) {
    int p[2];
    make_pipe(p, _i);
    test_thread *t = thread_start(close_fd, &p[1]);
    ck_assert_int_eq(gch_io_write(p[1], much, sizeof much, NULL), EBADF);
    thread_join(t);
    gch_io_close(p[0]);
  }
}
END_TEST

/* One that is not to wait by its flags waits all the same, and keeps them. */
START_TEST(TestReadNonblockingFd) {
  int p[2];
  struct waits w;
  ok(pipe2(p, _i ? O_NONBLOCK : 0));
  begin(&w, reads, p[0]);
  expect_no_return(&w);
  ck_assert_int_eq(fcntl(p[0], F_GETFL) & O_NONBLOCK, _i ? O_NONBLOCK : 0);
  ok(gch_io_write(p[1], "x", 1, NULL));
  ok(expect_return(&w));
  close_pipe(p);
}
END_TEST

START_TEST(TestCloseWithBlockingRead) {
  int p[2];
  struct waits w;
  make_pipe(p, _i);
  begin(&w, reads, p[0]);
  expect_no_return(&w);
  ok(gch_io_close(p[0]));
  ck_assert_int_eq(expect_return(&w), EBADF);
  gch_io_close(p[1]);
}
END_TEST

static void write_lines(void *arg) {
  int fd = *(int *)arg;
  for (int i = 0; i < 3; i++) {
    gch_sleep(MS);
    ok(gch_io_write(fd, "line 0\n", 7, NULL));
  }
  gch_io_close(fd);
}

START_TEST(TestPipeEOF) {
  int p[2], lines = 0;
  make_pipe(p, _i);
  test_thread *t = thread_start(write_lines, &p[1]);
  FILE *f = gch_io_fdopen(p[0], "r");
  ck_assert_ptr_nonnull(f);
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, f) > 0)
    lines++;
  ck_assert_int_eq(lines, 3);
  free(line);
  fclose(f);
  thread_join(t);
}
END_TEST

/* os/timeout_test.go */

START_TEST(TestNonpollableDeadline) {
  int p[2], fd = open("/dev/null", O_RDWR);
  make_pipe(p, false);
  ck_assert_int_eq(gch_io_set_deadline(p[0], BOTH, gch_in(GCH_SECOND)), EINVAL);
  ck_assert_int_eq(gch_io_set_deadline(fd, BOTH, gch_in(GCH_SECOND)), EINVAL);
  close(fd);
  close_pipe(p);
}
END_TEST

START_TEST(TestReadTimeout) {
  int p[2];
  struct waits w = {0};
  make_pipe(p, true);
  ok(gch_io_write(p[1], "READ TIMEOUT TEST", 17, NULL));
  w.fd = p[0];
  ok(gch_io_set_deadline(p[0], GCH_IO_READ, 1));
  ck_assert_int_eq(reads(&w), ETIMEDOUT);
  ck_assert_uint_eq(w.n, 0);
  ok(gch_io_set_deadline(p[0], GCH_IO_READ, gch_in(GCH_HOUR)));
  ok(reads(&w));
  ok(gch_io_set_deadline(p[0], GCH_IO_READ, gch_in(5 * MS)));
  ck_assert_int_eq(reads(&w), ETIMEDOUT);
  close_pipe(p);
}
END_TEST

START_TEST(TestWriteTimeout) {
  int p[2];
  struct waits w = {0};
  make_pipe(p, true);
  w.fd = p[1];
  ok(gch_io_set_deadline(p[1], GCH_IO_WRITE, 1));
  ck_assert_int_eq(writes(&w), ETIMEDOUT);
  ck_assert_uint_eq(w.n, 0);
  ok(gch_io_set_deadline(p[1], GCH_IO_WRITE, gch_in(5 * MS)));
  ck_assert_int_eq(writes(&w), ETIMEDOUT);
  ck_assert_uint_gt(w.n, 0);
  close_pipe(p);
}
END_TEST

START_TEST(TestReadTimeoutMustNotReturn) {
  int p[2];
  struct waits w;
  make_pipe(p, true);
  ok(gch_io_set_deadline(p[0], BOTH, 1));
  ok(gch_io_set_deadline(p[0], GCH_IO_READ, GCH_FOREVER));
  begin(&w, reads, p[0]);
  expect_no_return(&w);
  ok(gch_io_close(p[0]));
  ck_assert_int_eq(expect_return(&w), EBADF);
  gch_io_close(p[1]);
}
END_TEST

START_TEST(TestWriteTimeoutMustNotReturn) {
  int p[2];
  struct waits w;
  make_pipe(p, true);
  ok(gch_io_set_deadline(p[1], BOTH, 1));
  ok(gch_io_set_deadline(p[1], GCH_IO_WRITE, GCH_FOREVER));
  begin(&w, writes, p[1]);
  expect_no_return(&w);
  ok(gch_io_close(p[1]));
  ck_assert_int_eq(expect_return(&w), EBADF);
  gch_io_close(p[0]);
}
END_TEST

/* Deadlines that come while many read, or write: each call has moved bytes or
   timed out. */
struct racy {
  int fd;
  bool write;
};

static void be_racy(void *arg) {
  struct racy *r = arg;
  char c[1024] = {0};
  for (int i = 0; i < scaled(200); i++) {
    size_t n = 0;
    ok(gch_io_set_deadline(r->fd, BOTH, gch_in(i % 7 * GCH_MICROSECOND)));
    int err = r->write ? gch_io_write(r->fd, c, sizeof c, &n)
                       : gch_io_read(r->fd, c, sizeof c, &n);
    ck_assert(err == ETIMEDOUT || (err == 0 && n > 0));
  }
}

static void pump(void *arg) {
  struct racy *r = arg;
  char c[4096] = {0};
  int err;
  do
    err = r->write ? gch_io_write(r->fd, c, sizeof c, NULL)
                   : gch_io_read(r->fd, c, sizeof c, NULL);
  while (err == 0);
}

static void race_on_pipe(bool write) {
  enum { N = 5 };
  int p[2];
  make_pipe(p, true);
  struct racy r = {p[write], write}, other = {p[!write], !write};
  test_thread *t[N], *o = thread_start(pump, &other);
  for (int i = 0; i < N; i++)
    t[i] = thread_start(be_racy, &r);
  for (int i = 0; i < N; i++)
    thread_join(t[i]);
  ok(gch_io_close(other.fd));
  thread_join(o);
  gch_io_close(r.fd);
}

START_TEST(TestRacyRead) {
  race_on_pipe(false);
}
END_TEST

START_TEST(TestRacyWrite) {
  race_on_pipe(true);
}
END_TEST

START_TEST(TestTTYClose) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
    return;
  struct waits w;
  fd = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ck_assert_int_ge(fd, 0);
  begin(&w, reads, fd);
  expect_no_return(&w);
  ok(gch_io_close(fd));
  ck_assert_int_eq(expect_return(&w), EBADF);
  close(master);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang os/pipe_test");
  TCase *t = test_case(s, "pipe_test");
  tcase_add_loop_test(t, TestEPIPE, 0, 2);
  tcase_add_test(t, TestStdPipe);
  tcase_add_loop_test(t, TestClosedPipeRaceRead, 0, 2);
  tcase_add_loop_test(t, TestClosedPipeRaceWrite, 0, 2);
  tcase_add_loop_test(t, TestReadNonblockingFd, 0, 2);
  tcase_add_loop_test(t, TestCloseWithBlockingRead, 0, 2);
  tcase_add_loop_test(t, TestPipeEOF, 0, 2);
  t = test_case(s, "timeout_test");
  tcase_add_test(t, TestNonpollableDeadline);
  tcase_add_test(t, TestReadTimeout);
  tcase_add_test(t, TestWriteTimeout);
  tcase_add_test(t, TestReadTimeoutMustNotReturn);
  tcase_add_test(t, TestWriteTimeoutMustNotReturn);
  tcase_add_test(t, TestRacyRead);
  tcase_add_test(t, TestRacyWrite);
  tcase_add_test(t, TestTTYClose);
  return s;
}
