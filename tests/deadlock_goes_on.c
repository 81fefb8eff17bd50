/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs that GULCH_DEADLOCK must leave alone: all threads that gulch knows
   are parked for a while, but something will wake one. */
#define TEST_AS_IS /* it counts threads and tasks */
#include "deadlock_scenes.h"

static void finish(void *unused) {
  (void)unused;
  gch_close(scene_over);
}

static void await_finish(void) {
  gch_recv(scene_over, NULL);
}

static void timed_wait(void) {
  gch_recv_until(gch_make(0, 0), NULL, gch_now() + A_WHILE);
}

static void sleep_in_gulch(void) {
  gch_sleep(A_WHILE);
}

/* Threads and tasks outside */

static void sleep_and_finish(void *unused) {
  sleep_outside(A_WHILE);
  finish(unused);
}

static void *thread_that_sleeps(void *unused) {
  sleep_and_finish(unused);
  return NULL;
}

static void unknown_thread(void) {
  raw_thread(thread_that_sleeps, NULL);
  await_finish();
}

static void *thread_that_computes(void *unused) {
  for (int64_t end = gch_now() + A_WHILE; gch_now() < end;)
    continue;
  finish(unused);
  return NULL;
}

static void computing_thread(void) {
  raw_thread(thread_that_computes, NULL);
  await_finish();
}

static void task_outside(void) {
  gch_go(sleep_and_finish, NULL);
  await_finish();
}

static void compute(void *unused) {
  thread_that_computes(unused);
}

static void task_computes(void) {
  gch_go(compute, NULL);
  await_finish();
}

/* A process that does not outlive this one. */
static pid_t fork_helper(void) {
  pid_t pid = fork();
  if (pid < 0)
    abort();
  if (pid == 0)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  return pid;
}

static int ends_of_pipe[2];

static void *feed(void *unused) {
  sleep_outside(A_WHILE);
  ssize_t n = write(ends_of_pipe[1], "x", 1);
  (void)n;
  return unused;
}

static void read_and_finish(void *unused) {
  char x;
  ssize_t n = read(ends_of_pipe[0], &x, 1);
  (void)n;
  finish(unused);
}

/* The writer is another process. */
static void task_reads(void) {
  if (pipe(ends_of_pipe) != 0)
    abort();
  if (fork_helper() == 0) {
    feed(NULL);
    _exit(0);
  }
  gch_go(read_and_finish, NULL);
  await_finish();
}

static void main_reads(void) {
  if (pipe(ends_of_pipe) != 0)
    abort();
  if (fork_helper() == 0) {
    feed(NULL);
    _exit(0);
  }
  gch_go(stay, gch_make(0, 0));
  read_and_finish(NULL);
}

static void task_waits_timed(void *unused) {
  timed_wait();
  finish(unused);
}

static void task_with_deadline(void) {
  gch_go(task_waits_timed, NULL);
  await_finish();
}

static void *thread_that_waits(void *unused) {
  task_waits_timed(unused);
  return NULL;
}

static void thread_with_deadline(void) {
  raw_thread(thread_that_waits, NULL);
  await_finish();
}

static void join(void) {
  pthread_t t;
  pthread_create(&t, NULL, thread_that_sleeps, NULL);
  pthread_join(t, NULL);
}

static void *leave_main_behind(void *unused) {
  await_finish();
  _exit(0);
  return unused;
}

static void main_leaves(void) {
  raw_thread(leave_main_behind, NULL);
  raw_thread(thread_that_sleeps, NULL);
  pthread_exit(NULL);
}

/* Time */

static void after(void) {
  gch_recv(gch_after(A_WHILE), NULL);
}

static void func_timer(void) {
  gch_timer_func(A_WHILE, finish, NULL);
  await_finish();
}

static void ticker(void) {
  gch_ticker *t = gch_ticker_new(A_WHILE);
  gch_recv(gch_ticker_chan(t), NULL);
}

static void ctx_with_deadline(void) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), A_WHILE);
  gch_recv_ctx(ctx, scene_over, NULL);
}

static void after_ctx(void) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), A_WHILE);
  gch_ctx_after_func(ctx, finish, NULL);
  await_finish();
}

/* Signals */

static void kill_later(void) {
  pid_t parent = getpid();
  if (fork_helper() == 0) {
    sleep_outside(A_WHILE);
    kill(parent, SIGUSR1);
    _exit(0);
  }
}

static void signal_on_channel(void) {
  gch_chan *signals = gch_make_of(int, 1);
  gch_signal_notify(signals, &(int){SIGUSR1}, 1);
  kill_later();
  gch_recv(signals, NULL);
}

static void signal_on_ctx(void) {
  gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), &(int){SIGUSR1}, 1);
  kill_later();
  gch_recv_ctx(ctx, scene_over, NULL);
}

/* Hand-overs: at each moment all but one are parked for good, or about to be,
   or just being woken. */

struct player {
  gch_chan *from, *to;
  gch_wg *wg;
  int64_t end;
};

/* Ends with a negative number, or when the time is over. */
static void pass_until_end(struct player *p) {
  for (int x = 0; x >= 0;) {
    gch_recv(p->from, &x);
    if (gch_now() > p->end)
      x = -1;
    gch_send(p->to, &x);
  }
}

static void player_task(void *arg) {
  struct player *p = arg;
  pass_until_end(p);
}

static void *player_thread(void *arg) {
  struct player *p = arg;
  pass_until_end(p);
  gch_wg_done(p->wg);
  return NULL;
}

enum { RING = 4 };

/* A ring of threads (bit set in kinds) and tasks, with one ball. */
static void ring(unsigned kinds, double seconds) {
  gch_wg wg = GCH_WG_INIT;
  struct player players[RING];
  int64_t end = gch_now() + (int64_t)(seconds * (double)GCH_SECOND);
  for (int i = 0; i < RING; i++)
    players[i] = (struct player){gch_make_of(int, 1), NULL, &wg, end};
  for (int i = 0; i < RING; i++)
    players[i].to = players[(i + 1) % RING].from;
  for (int i = 0; i < RING; i++) {
    if (kinds >> i & 1) {
      gch_wg_add(&wg, 1);
      raw_thread(player_thread, &players[i]);
    } else {
      gch_wg_go(&wg, player_task, &players[i]);
    }
  }
  gch_send(players[0].from, &(int){1});
  gch_wg_wait(&wg);
}

static void hand_over(void) {
  const unsigned kinds[] = {15, 0, 5, 3, 14};
  for (int i = 0; i < 5; i++)
    ring(kinds[i], stress_seconds() / 5);
}

/* Each thread makes the next one and is gone. */
static int64_t chain_end;

static void *make_next(void *unused) {
  if (gch_now() < chain_end)
    raw_thread(make_next, NULL);
  else
    finish(unused);
  return NULL;
}

static void chain(void) {
  chain_end = gch_now() + (int64_t)(stress_seconds() / 2 * (double)GCH_SECOND);
  raw_thread(make_next, NULL);
  await_finish();
}

/* Each thread makes the next one and waits for the last. */

enum { CHAIN = 100 };

static void *make_next_and_wait(void *arg) {
  gch_chan **over = arg; /* the same for all; NULL behind the last */
  gch_chan *mine = *over;
  if (over[1])
    raw_thread(make_next_and_wait, over + 1);
  else
    gch_close(mine);
  gch_recv(mine, NULL);
  return NULL;
}

static void growing_chain(void) {
  for (int i = 0; i < scaled(20); i++) {
    gch_chan **over = calloc(CHAIN + 1, sizeof *over);
    gch_chan *first = gch_make(0, 0);
    for (int k = 0; k < CHAIN; k++)
      over[k] = first;
    raw_thread(make_next_and_wait, over);
    gch_recv(first, NULL);
  }
}

static gch_mutex mutex;

static void lock_and_unlock(void *unused) {
  (void)unused;
  for (int i = 0; i < scaled(20000); i++) {
    gch_mutex_lock(&mutex);
    gch_mutex_unlock(&mutex);
  }
}

static void *lock_and_unlock_in_thread(void *wg) {
  lock_and_unlock(NULL);
  gch_wg_done(wg);
  return NULL;
}

static void locks(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 3);
  for (int i = 0; i < 3; i++) {
    raw_thread(lock_and_unlock_in_thread, &wg);
    gch_wg_go(&wg, lock_and_unlock, NULL);
  }
  gch_wg_wait(&wg);
}

const struct scene goes_on[NUM_GOES_ON] = {
    {"timed wait", timed_wait, NULL},
    {"sleep", sleep_in_gulch, NULL},
    {"unknown thread", unknown_thread, NULL},
    {"computing thread", computing_thread, NULL},
    {"task outside", task_outside, NULL},
    {"task computes", task_computes, NULL},
    {"task reads", task_reads, NULL},
    {"main reads", main_reads, NULL},
    {"task with deadline", task_with_deadline, NULL},
    {"thread with deadline", thread_with_deadline, NULL},
    {"join", join, NULL},
    {"main leaves", main_leaves, NULL},
    {"after", after, NULL},
    {"func timer", func_timer, NULL},
    {"ticker", ticker, NULL},
    {"ctx", ctx_with_deadline, NULL},
    {"after ctx", after_ctx, NULL},
    {"signal", signal_on_channel, NULL},
    {"signal ctx", signal_on_ctx, NULL},
    {"hand over", hand_over, NULL},
    {"chain", chain, NULL},
    {"growing chain", growing_chain, NULL},
    {"locks", locks, NULL},
};
