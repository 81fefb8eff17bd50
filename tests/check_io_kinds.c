/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors of all kinds: terminals, FIFOs, files, events, timers; copies
   between them, and streams. */
#define _GNU_SOURCE
#include "io_facts.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static int flags_of(int fd) {
  return fcntl(fd, F_GETFL);
}

static int temporary(void) {
  char path[] = "/tmp/gulch.XXXXXX";
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  unlink(path);
  return fd;
}

START_TEST(flags_are_left_alone_but_of_what_is_adopted) {
  struct ends e = make_ends(_i);
  int out = flags_of(e.out), in = flags_of(e.in);
  char c;
  ck_assert_int_eq(gch_io_read_until(e.out, &c, 1, NULL, gch_in(1000)),
                   ETIMEDOUT);
  fill(e.in);
  gch_select(GCH_READABLE(e.out), GCH_WRITABLE(e.in));
  ck_assert_int_eq(flags_of(e.out), out);
  ck_assert_int_eq(flags_of(e.in), in);
  ck_assert_int_eq((out & O_NONBLOCK) != 0, is_adopted(_i));
  close_ends(e);
}
END_TEST

START_TEST(to_adopt_once_more_does_nothing) {
  struct ends e = make_ends(_i);
  struct io_call c = {.fd = e.out, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(gch_io_adopt(e.out), 0);
  put(e.in, "x");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_int_eq(gch_io_read_until(e.out, c.buf, 1, NULL, gch_in(1000)),
                   ETIMEDOUT);
  close_ends(e);
}
END_TEST

START_TEST(a_terminal) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  ck_assert_int_ge(master, 0);
  ck_assert_int_eq(grantpt(master), 0);
  ck_assert_int_eq(unlockpt(master), 0);
  int tty = open(ptsname(master), O_RDWR | O_NOCTTY);
  ck_assert_int_ge(tty, 0);
  struct io_call c = {.fd = tty, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(tty, 1, 0);
  put(master, "line\n");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 5);
  put(tty, "out");
  expect(master, "line\r\nout");
  ck_assert_int_eq(gch_io_close(tty), 0);
  ck_assert_int_eq(gch_io_close(master), 0);
}
END_TEST

START_TEST(a_fifo) {
  char dir[] = "/tmp/gulch.XXXXXX", path[64];
  ck_assert_ptr_nonnull(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/fifo", dir);
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  int out = open(path, O_RDWR), in = open(path, O_WRONLY);
  struct io_call c = {.fd = out, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(out, 1, 0);
  put(in, "abc");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 3);
  unlink(path);
  rmdir(dir);
  ck_assert_int_eq(gch_io_close(out), 0);
  ck_assert_int_eq(gch_io_close(in), 0);
}
END_TEST

START_TEST(a_file_is_always_ready) {
  int fd = temporary(), ready;
  char c;
  size_t n = 99;
  if (_i == 1)
    ck_assert_int_eq(gch_io_adopt(fd), 0);
  char *big = calloc(1, 1 << 20);
  ck_assert_int_eq(gch_io_write(fd, big, 1 << 20, &n), 0);
  ck_assert_uint_eq(n, 1 << 20);
  ck_assert_int_eq(gch_io_read(fd, &c, 1, &n), 0);
  ck_assert_uint_eq(n, 0);
  lseek(fd, 0, SEEK_SET);
  ck_assert_int_eq(gch_io_read_full(fd, big, 1 << 20, &n), 0);
  ck_assert_int_eq(gch_io_wait(fd, GCH_IO_READ | GCH_IO_WRITE, &ready), 0);
  ck_assert_int_eq(ready, GCH_IO_READ | GCH_IO_WRITE);
  ck_assert_int_eq(gch_select(GCH_READABLE(fd)), 0);
  free(big);
  ck_assert_int_eq(gch_io_close(fd), 0);
}
END_TEST

START_TEST(an_eventfd) {
  int fd = eventfd(0, 0);
  struct io_call c = {.fd = fd, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(fd, 1, 0);
  ck_assert_int_eq(gch_io_write(fd, &(uint64_t){5}, 8, NULL), 0);
  thread_join(t);
  uint64_t value;
  memcpy(&value, c.buf, sizeof value);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 8);
  ck_assert_uint_eq(value, 5);
  ck_assert_int_eq(gch_io_close(fd), 0);
}
END_TEST

START_TEST(a_timerfd) {
  const struct itimerspec soon = {.it_value = {0, 1000000}};
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  uint64_t times;
  size_t n;
  timerfd_settime(fd, 0, &soon, NULL);
  ck_assert_int_eq(gch_io_read(fd, &times, 8, &n), 0);
  ck_assert_uint_eq(n, 8);
  ck_assert_uint_eq(times, 1);
  timerfd_settime(fd, 0, &soon, NULL);
  ck_assert_int_eq(gch_select(GCH_READABLE(fd)), 0);
  ck_assert_int_eq(gch_io_close(fd), 0);
}
END_TEST

/* SIGPIPE */

/* What the child's end was, as waitpid says it. */
static int in_child(void (*fn)(int fd), int fd) {
  int status;
  pid_t pid = fork_alone();
  if (pid == 0) {
    signal(SIGPIPE, SIG_DFL);
    fn(fd);
    _exit(0);
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  return status;
}

static void write_as_output(int fd) {
  dup2(fd, STDOUT_FILENO);
  gch_io_write(STDOUT_FILENO, "x", 1, NULL);
}

static void write_with_one_pending(int fd) {
  sigset_t set, pending;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  raise(SIGPIPE);
  gch_io_write(fd, "x", 1, NULL);
  sigpending(&pending);
  _exit(sigismember(&pending, SIGPIPE) ? 5 : 6);
}

START_TEST(the_signal_comes_on_the_standard_output_only) {
  struct ends e = make_ends(_i);
  ck_assert_int_eq(gch_io_close(e.out), 0);
  int status = in_child(write_as_output, e.in);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
  status = in_child(write_with_one_pending, e.in);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 5);
  ck_assert_int_eq(gch_io_close(e.in), 0);
}
END_TEST

/* Copies: from a kind to a kind, all in all more than fits into either. */

enum { BYTES = 3000000 };

struct feed {
  int fd;
  bool ok;
};

static char byte_at(int i) {
  return (char)(i * 7 + i / 1000);
}

static void feed(void *arg) {
  struct feed *f = arg;
  char *bytes = malloc(BYTES);
  for (int i = 0; i < BYTES; i++)
    bytes[i] = byte_at(i);
  f->ok = gch_io_write(f->fd, bytes, BYTES, NULL) == 0 &&
          gch_io_close(f->fd) == 0;
  free(bytes);
}

static void drink(void *arg) {
  struct feed *f = arg;
  char *bytes = malloc(BYTES + 1);
  size_t n;
  f->ok = gch_io_read_full(f->fd, bytes, BYTES + 1, &n) == ENODATA &&
          n == BYTES;
  for (int i = 0; i < BYTES && f->ok; i++)
    f->ok = bytes[i] == byte_at(i);
  free(bytes);
}

START_TEST(a_copy_brings_all_to_the_end) {
  struct ends from = make_ends(_i % KINDS), to = make_ends(_i / KINDS);
  struct feed in = {.fd = from.in}, out = {.fd = to.out};
  uint64_t n = 99;
  test_thread *t = thread_start(feed, &in), *t2 = thread_start(drink, &out);
  ck_assert_int_eq(gch_io_copy(to.in, from.out, &n), 0);
  ck_assert_uint_eq(n, BYTES);
  ck_assert_int_eq(gch_io_close(to.in), 0);
  thread_join(t);
  thread_join(t2);
  ck_assert(in.ok && out.ok);
  ck_assert_int_eq(gch_io_close(from.out), 0);
  ck_assert_int_eq(gch_io_close(to.out), 0);
}
END_TEST

START_TEST(files_are_copied_from_and_to) {
  struct ends e = make_ends(_i);
  int source = temporary(), sink = temporary();
  char buf[6] = "";
  uint64_t n;
  put(source, "hello");
  lseek(source, 0, SEEK_SET);
  ck_assert_int_eq(gch_io_copy(e.in, source, &n), 0);
  ck_assert_uint_eq(n, 5);
  ck_assert_int_eq(gch_io_close(e.in), 0);
  ck_assert_int_eq(gch_io_copy(sink, e.out, &n), 0);
  ck_assert_uint_eq(n, 5);
  ck_assert_int_eq(pread(sink, buf, 5, 0), 5);
  ck_assert_str_eq(buf, "hello");
  ck_assert_int_eq(gch_io_close(e.out), 0);
  ck_assert_int_eq(gch_io_close(source), 0);
  ck_assert_int_eq(gch_io_close(sink), 0);
}
END_TEST

START_TEST(a_copy_gives_up) {
  struct ends from = make_ends(_i % KINDS), to = make_ends(_i / KINDS);
  uint64_t n = 99;
  put(from.in, "ab");
  ck_assert_int_eq(
      gch_io_copy_until(to.in, from.out, &n, gch_in(2 * GCH_MILLISECOND)),
      ETIMEDOUT);
  ck_assert_uint_eq(n, 2);
  expect(to.out, "ab");
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  ck_assert_int_eq(gch_io_copy_ctx(ctx, to.in, from.out, &n), ETIMEDOUT);
  ck_assert_uint_eq(n, 0);
  gch_ctx_end(ctx);
  ck_assert_int_eq(gch_io_close(to.out), 0);
  put(from.in, "x");
  ck_assert_int_eq(gch_io_copy(to.in, from.out, &n), EPIPE);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_close(to.in), 0);
  close_ends(from);
}
END_TEST

/* Streams */

static void print_lines(void *arg) {
  FILE *f = gch_io_fdopen(*(int *)arg, "w");
  for (int i = 0; i < 3; i++) {
    fprintf(f, "line %d\n", i);
    fflush(f);
    gch_yield();
  }
  fclose(f);
}

START_TEST(a_stream_reads_lines_from_a_stream) {
  struct ends e = make_ends(_i);
  FILE *f = gch_io_fdopen(e.out, "r");
  char *line = NULL, want[32];
  size_t room = 0;
  ck_assert_ptr_nonnull(f);
  test_thread *t = thread_start(print_lines, &e.in);
  for (int i = 0; i < 3; i++) {
    snprintf(want, sizeof want, "line %d\n", i);
    ck_assert_int_eq(getline(&line, &room, f), 7);
    ck_assert_str_eq(line, want);
  }
  ck_assert_int_eq(getline(&line, &room, f), -1);
  ck_assert(feof(f));
  thread_join(t);
  free(line);
  ck_assert_int_eq(fclose(f), 0);
  ck_assert_int_eq(gch_io_close(e.out), EBADF);
}
END_TEST

START_TEST(a_stream_wants_a_mode_that_fits) {
  struct ends e = make_ends(PIPE + _i);
  ck_assert_ptr_null(gch_io_fdopen(e.out, "w"));
  ck_assert_int_eq(errno, EINVAL);
  ck_assert_ptr_null(gch_io_fdopen(e.out, "x"));
  ck_assert_int_eq(errno, EINVAL);
  ck_assert_ptr_null(gch_io_fdopen(-1, "r"));
  ck_assert_int_eq(errno, EBADF);
  close_ends(e);
}
END_TEST

START_TEST(a_stream_on_a_file_is_sought) {
  int fd = temporary();
  FILE *f = gch_io_fdopen(fd, "w+");
  char text[8] = "";
  ck_assert_int_eq(fputs("0123456789", f), 1);
  ck_assert_int_eq(fseek(f, 4, SEEK_SET), 0);
  ck_assert_uint_eq(fread(text, 1, 3, f), 3);
  ck_assert_str_eq(text, "456");
  ck_assert_int_eq(fclose(f), 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_kinds");
  TCase *t = test_case(s, "kinds");
  add_io_test(t, flags_are_left_alone_but_of_what_is_adopted);
  add_io_test(t, to_adopt_once_more_does_nothing);
  tcase_add_test(t, a_terminal);
  tcase_add_test(t, a_fifo);
  tcase_add_loop_test(t, a_file_is_always_ready, 0, 2);
  tcase_add_test(t, an_eventfd);
  tcase_add_test(t, a_timerfd);
  t = test_case(s, "sigpipe");
  add_io_test(t, the_signal_comes_on_the_standard_output_only);
  t = test_case(s, "copy");
  tcase_add_loop_test(t, a_copy_brings_all_to_the_end, 0, KINDS * KINDS);
  add_io_test(t, files_are_copied_from_and_to);
  tcase_add_loop_test(t, a_copy_gives_up, 0, KINDS * KINDS);
  t = test_case(s, "streams");
  add_io_test(t, a_stream_reads_lines_from_a_stream);
  tcase_add_loop_test(t, a_stream_wants_a_mode_that_fits, 0, 2);
  tcase_add_test(t, a_stream_on_a_file_is_sought);
  return s;
}
