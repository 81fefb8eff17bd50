/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes and signals: in the child, from its first moment, a signal
   does what it did before anybody listened. */
#define TEST_AS_IS
#include "fork_life.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static const int term = SIGTERM;

/* Sends sig to a new child at once, and gives its wait status. */
static int send_to_child(int sig, int (*fn)(void)) {
  int status = 0;
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(fn());
  kill(pid, sig);
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  return status;
}

static int never_end(void) {
  while (pause() != 0)
    ;
  return WRONG;
}

/* Check has a handler for it, which sends it on. */
static void by_default(void) {
  signal(SIGTERM, SIG_DFL);
}

static void listen_and_send(void) {
  gch_chan *c = gch_make_of(int, 8);
  ck_assert_int_eq(gch_signal_notify(c, &term, 1), 0);
  for (int i = 0; i < scaled(50); i++) {
    int status = send_to_child(SIGTERM, never_end);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  }
  ck_assert_uint_eq(gch_len(c), 0);
  gch_signal_stop(c);
  gch_unref(c);
}

START_TEST(a_signal_sent_at_once_ends_the_child) {
  listen_and_send();
}
END_TEST

static int in_task(void *unused) {
  (void)unused;
  listen_and_send();
  return 0;
}

START_TEST(a_signal_sent_at_once_ends_the_child_of_a_task) {
  gch_run(in_task, NULL);
}
END_TEST

START_TEST(a_signal_sent_at_once_does_not_cancel_an_inherited_context) {
  gch_ctx *ctx = gch_signal_notify_ctx(gch_ctx_background(), &term, 1);
  for (int i = 0; i < scaled(50); i++) {
    int status = send_to_child(SIGTERM, never_end);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  }
  ck_assert_int_eq(gch_ctx_err(ctx), 0);
  gch_ctx_end(ctx);
}
END_TEST

/* The program's own handler, with its flags. */

static _Atomic int handled;

static void handle(int sig) {
  (void)sig;
  atomic_fetch_add(&handled, 1);
}

static int await_one(void) {
  while (atomic_load(&handled) == 0)
    usleep(100);
  struct sigaction now;
  sigaction(SIGUSR1, NULL, &now);
  return now.sa_handler == handle && (now.sa_flags & SA_NODEFER) &&
                 !(now.sa_flags & SA_SIGINFO) &&
                 sigismember(&now.sa_mask, SIGHUP)
             ? OK
             : WRONG;
}

START_TEST(a_signal_sent_at_once_is_handled_as_before) {
  const int sig = SIGUSR1;
  struct sigaction mine = {.sa_handler = handle, .sa_flags = SA_NODEFER};
  sigaddset(&mine.sa_mask, SIGHUP);
  sigaction(sig, &mine, NULL);
  gch_chan *c = gch_make_of(int, 8);
  ck_assert_int_eq(gch_signal_notify(c, &sig, 1), 0);
  for (int i = 0; i < scaled(50); i++) {
    int status = send_to_child(sig, await_one);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == OK);
  }
  ck_assert_int_eq(handled, 0);
  gch_signal_stop(c);
  gch_unref(c);
}
END_TEST

/* What the parent caught and has not delivered yet stays the parent's. */

static int receive_none(gch_chan *c) {
  require(gch_recv_until(c, NULL, gch_now() + 2 * MS) == ETIMEDOUT);
  gch_signal_stop(c);
  require(gch_signal_notify(c, &term, 1) == 0);
  require(gch_recv_until(c, NULL, gch_now() + 2 * MS) == ETIMEDOUT);
  require(raise(SIGTERM) == 0 && gch_recv(c, NULL) == 0);
  return OK;
}

START_TEST(what_the_parent_caught_is_not_delivered_in_the_child) {
  gch_chan *c = gch_make_of(int, 1);
  for (int i = 0; i < scaled(20); i++) {
    ck_assert_int_eq(gch_signal_notify(c, &term, 1), 0);
    raise(SIGTERM);
    gch_chan *copy = gch_make_of(int, 1);
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(receive_none(copy));
    ck_assert_int_eq(status_of(pid), OK);
    ck_assert_int_eq(gch_recv(c, NULL), 0);
    gch_signal_stop(c);
    gch_unref(copy);
  }
  gch_unref(c);
}
END_TEST

/* The mask */

static bool same_mask(const sigset_t *a, const sigset_t *b) {
  for (int sig = 1; sig < NSIG; sig++)
    if (sigismember(a, sig) != sigismember(b, sig))
      return false;
  return true;
}

/* Each thread with a mask of its own. */
static void *fork_with_mask(void *sig) {
  sigset_t mine, now;
  sigemptyset(&mine);
  sigaddset(&mine, *(int *)sig);
  pthread_sigmask(SIG_SETMASK, &mine, NULL);
  for (int i = 0; i < scaled(20); i++) {
    int status = 0;
    pid_t pid = fork();
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    if (pid == 0)
      _exit(same_mask(&mine, &now) ? OK : WRONG);
    if (!same_mask(&mine, &now) || waitpid(pid, &status, 0) != pid ||
        status != 0)
      return "the mask is another";
  }
  return NULL;
}

START_TEST(the_mask_is_the_callers_on_both_sides) {
  static int sigs[] = {SIGUSR1, SIGUSR2, SIGHUP};
  enum { THREADS = SANITIZED ? 1 : 3 };
  pthread_t threads[THREADS];
  gch_chan *c = gch_make_of(int, 1);
  gch_signal_notify(c, &term, 1);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, fork_with_mask, &sigs[i]);
  for (int i = 0; i < THREADS; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    ck_assert_msg(!wrong, "%s", (char *)wrong);
  }
  gch_signal_stop(c);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_signal");
  TCase *t = test_case(s, "at once");
  tcase_add_checked_fixture(t, by_default, NULL);
  tcase_add_test(t, a_signal_sent_at_once_ends_the_child);
  if (!THREAD_SANITIZED)
    tcase_add_test(t, a_signal_sent_at_once_ends_the_child_of_a_task);
  tcase_add_test(t, a_signal_sent_at_once_does_not_cancel_an_inherited_context);
  tcase_add_test(t, a_signal_sent_at_once_is_handled_as_before);
  tcase_add_test(t, what_the_parent_caught_is_not_delivered_in_the_child);
  tcase_add_test(t, the_mask_is_the_callers_on_both_sides);
  return s;
}
