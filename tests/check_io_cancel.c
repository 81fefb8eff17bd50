/* SPDX-License-Identifier: BSD-3-Clause */
/* No call on a descriptor is a point of cancellation, nor is a wake of who
   waits for one: a thread that is cancelled ends elsewhere, holding nothing. */
#define TEST_AS_IS
#include "harness.h"

#include <gulch.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct scene {
  int fds[2]; /* of a connection; nothing is to be read from the first */
  int zero, null;
  gch_chan *c;
  bool went_on;
};

static struct scene scene_new(void) {
  struct scene s = {.c = gch_make_of(int, 4),
                    .zero = open("/dev/zero", O_RDONLY),
                    .null = open("/dev/null", O_WRONLY)};
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s.fds), 0);
  return s;
}

/* Were a record held a close would not return, were a lock a send. */
static void scene_end(struct scene *s) {
  ck_assert(s->went_on);
  ck_assert_int_eq(gch_try_send(s->c, &(int){1}), 0);
  ck_assert_int_eq(gch_io_close(s->fds[0]), 0);
  ck_assert_int_eq(gch_io_close(s->fds[1]), 0);
  close(s->zero);
  close(s->null);
  gch_unref(s->c);
}

static int soon(void) {
  return 1000;
}

static void read_it(struct scene *s) {
  char byte;
  gch_io_read_until(s->fds[0], &byte, 1, NULL, gch_in(soon()));
  gch_io_wait_until(s->fds[0], GCH_IO_READ, NULL, gch_in(soon()));
}

static void write_it(struct scene *s) {
  gch_io_write(s->fds[0], "x", 1, NULL);
  gch_io_set_deadline(s->fds[0], GCH_IO_READ, 0);
  gch_io_adopt(s->fds[0]);
}

static void close_it(struct scene *s) {
  gch_io_close(dup(s->fds[0]));
}

static void copy_it(struct scene *s) {
  uint64_t n;
  gch_io_copy_until(s->fds[0], s->zero, &n, gch_in(soon()));
  gch_io_copy_until(s->null, s->fds[0], &n, gch_in(soon()));
}

static void dial_it(struct scene *s) {
  int fd, conn;
  char address[64];
  (void)s;
  if (gch_net_listen("tcp", "127.0.0.1:0", &fd) != 0)
    return;
  gch_net_addr(fd, false, address, sizeof address);
  if (gch_net_dial(gch_ctx_background(), "tcp", address, &conn) == 0)
    gch_io_close(conn);
  gch_io_close(fd);
}

static void select_it(struct scene *s) {
  int v;
  gch_select(GCH_RECV(s->c, &v), GCH_READABLE(s->fds[0]), GCH_DEFAULT);
  gch_select_ordered(GCH_RECV(s->c, &v), GCH_READABLE(s->fds[0]), GCH_DEFAULT);
  gch_select(GCH_RECV(s->c, &v), GCH_READABLE(s->fds[0]), GCH_TIMEOUT(soon()));
}

static void (*const uses[])(struct scene *) = {read_it, write_it, close_it,
                                               copy_it, dial_it,  select_it};
enum { USES = sizeof uses / sizeof *uses };

struct job {
  struct scene *scene;
  int use;
};

static void *use_cancelled(void *arg) {
  struct job *j = arg;
  pthread_cancel(pthread_self());
  uses[j->use](j->scene);
  j->scene->went_on = true;
  pthread_testcancel();
  return NULL;
}

START_TEST(calls_go_on_and_leave_the_thread_as_it_was) {
  struct scene s = scene_new();
  struct job j = {&s, _i};
  pthread_t t;
  void *result;
  ck_assert_int_eq(pthread_create(&t, NULL, use_cancelled, &j), 0);
  pthread_join(t, &result);
  ck_assert_ptr_eq(result, PTHREAD_CANCELED);
  scene_end(&s);
}
END_TEST

static void *use_undisturbed(void *arg) {
  struct job *j = arg;
  int state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  uses[j->use](j->scene);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
  j->scene->went_on = state == PTHREAD_CANCEL_DISABLE;
  return NULL;
}

START_TEST(nor_do_they_let_one_be_cancelled_that_is_not_to_be) {
  struct scene s = scene_new();
  struct job j = {&s, _i};
  pthread_t t;
  ck_assert_int_eq(pthread_create(&t, NULL, use_undisturbed, &j), 0);
  pthread_join(t, NULL);
  scene_end(&s);
}
END_TEST

/* A worker sleeps in the kernel for a descriptor, and is woken there. */

static void wait_for_end(void *fd) {
  char byte;
  size_t n;
  gch_io_read(*(int *)fd, &byte, 1, &n);
}

static void echo(void *arg) {
  gch_chan **c = arg;
  int v;
  while (gch_recv(c[0], &v) == 0)
    gch_send(c[1], &v);
}

static void *send_cancelled(void *c) {
  pthread_cancel(pthread_self());
  gch_send(c, &(int){7});
  pthread_testcancel();
  return NULL;
}

START_TEST(who_wakes_a_worker_wakes_it_though_cancelled) {
  int fds[2], v = 0;
  gch_chan *c[] = {gch_make_of(int, 1), gch_make_of(int, 1)};
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  gch_wg_go(&wg, wait_for_end, &fds[0]);
  gch_wg_go(&wg, echo, c);
  for (int i = 0; i < scaled(20); i++) {
    pthread_t t;
    gch_sleep(2 * GCH_MILLISECOND); /* so that all sleep */
    ck_assert_int_eq(pthread_create(&t, NULL, send_cancelled, c[0]), 0);
    ck_assert_int_eq(gch_recv(c[1], &v), 0);
    ck_assert_int_eq(v, 7);
    pthread_join(t, NULL);
  }
  gch_close(c[0]);
  close(fds[1]);
  gch_wg_wait(&wg);
  close(fds[0]);
  gch_unref(c[0]);
  gch_unref(c[1]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_cancel");
  TCase *t = test_case(s, "calls");
  tcase_add_loop_test(t, calls_go_on_and_leave_the_thread_as_it_was, 0, USES);
  tcase_add_loop_test(t, nor_do_they_let_one_be_cancelled_that_is_not_to_be, 0,
                      USES);
  t = test_case(s, "wakes");
  tcase_add_test(t, who_wakes_a_worker_wakes_it_though_cancelled);
  return s;
}
