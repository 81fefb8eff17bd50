/* SPDX-License-Identifier: BSD-3-Clause */
/* Forks while other threads are anywhere in the library: in the child only the
   forking thread goes on, and what it makes there works. */
#define _GNU_SOURCE
#include "signals.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUSY = 5, MOMENT = 30000 };

static struct {
  gch_chan *chan;
  int64_t end;
} yard;

static void done(void *wg) {
  gch_wg_done(wg);
}

static void nothing(void *unused) {
  (void)unused;
}

/* What keeps the others busy: all that has locks or lists of its own. */

static void wait_for_after(uint32_t *random) {
  int v = 1;
  GCH_AUTO gch_chan *c = gch_after(pick(random, MOMENT));
  require(c && gch_select(GCH_RECV(c, NULL), GCH_SEND(yard.chan, &v)) >= 0);
}

static void wait_for_ctx(uint32_t *random) {
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_ctx_with_timeout(gch_ctx_background(), pick(random, MOMENT));
  require(ctx && gch_recv_ctx(ctx, yard.chan, NULL) != EPIPE);
}

static void wait_for_func(uint32_t *random) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  gch_timer *t = gch_timer_func(pick(random, MOMENT), done, &wg);
  require(t != NULL);
  gch_wg_wait(&wg);
  gch_timer_free(t);
}

static void wait_for_task(uint32_t *random) {
  gch_wg wg = GCH_WG_INIT;
  (void)random;
  require(gch_wg_go(&wg, nothing, NULL) == 0);
  gch_wg_wait(&wg);
}

static void wait_for_signal(uint32_t *random) {
  const int sig = SIGUSR2;
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  (void)random;
  require(c && gch_signal_notify(c, &sig, 1) == 0);
  require(raise(sig) == 0 && gch_recv(c, NULL) == 0);
  gch_signal_stop(c);
}

static void (*const things[])(uint32_t *random) = {wait_for_after, wait_for_ctx,
                                                   wait_for_func, wait_for_task,
                                                   wait_for_signal};
enum { THINGS = sizeof things / sizeof *things };

/* In the child: each of them works. It may not end like a test. */
static _Noreturn void try_all(uint32_t *random) {
  signal(SIGABRT, SIG_DFL);
  alarm(60);
  yard.chan = gch_make_of(int, 1000);
  if ((gch_num_tasks)() > way_is_set()) /* then the caller may be one */
    _exit(2);
  for (int i = 0; i < THINGS; i++)
    things[i](random);
  _exit(0);
}

static void fork_one(uint32_t *random) {
  int status;
  pid_t pid = fork();
  require(pid >= 0);
  if (pid == 0)
    try_all(random);
  while (waitpid(pid, &status, 0) < 0)
    require(errno == EINTR);
  if (status != 0)
    ck_abort_msg("the child's status is %#x", (unsigned)status);
}

static void fork_or_be_busy(void *unused, int id) {
  uint32_t random = stress_seed(id);
  (void)unused;
  while (gch_now() < yard.end)
    if (id == 0)
      fork_one(&random);
    else
      things[pick(&random, THINGS)](&random);
}

START_TEST(a_fork_finds_the_library_whole) {
  struct crew crew;
  install_old(SIGUSR2);
  yard.chan = gch_make_of(int, 1000);
  yard.end = stress_end(SIGNAL_TESTS);
  crew_start(&crew, 1 + BUSY, fork_or_be_busy, NULL);
  crew_join(&crew);
  gch_unref(yard.chan);
}
END_TEST

void add_fork_tests(TCase *t) {
  if (!SANITIZED)
    tcase_add_test(t, a_fork_finds_the_library_whole);
}
