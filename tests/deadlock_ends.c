/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs that GULCH_DEADLOCK ends. */
#define TEST_AS_IS /* it counts threads and tasks */
#include "deadlock_scenes.h"

static gch_chan *never(void) {
  return gch_make_of(int, 0);
}

static void receive(void) {
  gch_recv(never(), NULL);
}

static void send(void) {
  gch_send(never(), &(int){1});
}

static void receive_from_none(void) {
  gch_recv(NULL, NULL);
}

static void send_to_none(void) {
  gch_send(NULL, NULL);
}

static void select_from_nothing(void) {
  gch_select_cases(NULL, 0);
}

static void select_from_two(void) {
  gch_select(GCH_RECV(never(), NULL), GCH_RECV(never(), NULL));
}

static void wait_for_a_group(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  gch_wg_wait(&wg);
}

static void lock_twice(void) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_mutex_lock(&m);
  gch_mutex_lock(&m);
}

static void wait_for_a_signal_of_a_cond(void) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_cond c = GCH_COND_INIT;
  gch_mutex_lock(&m);
  gch_cond_wait(&c, &m);
}

/* Circles: each receives from one channel before it would send to the next. */

struct link {
  gch_chan *from, *to;
};

static void pass_on(void *arg) {
  struct link *l = arg;
  int x;
  gch_recv(l->from, &x);
  gch_send(l->to, &x);
}

static void *pass_on_in_thread(void *arg) {
  pass_on(arg);
  return NULL;
}

static void circle(void) {
  static struct link there, back;
  gch_wg wg = GCH_WG_INIT;
  there = (struct link){never(), never()};
  back = (struct link){there.to, there.from};
  gch_wg_go(&wg, pass_on, &there);
  gch_wg_go(&wg, pass_on, &back);
  gch_wg_wait(&wg);
}

static int circle_in_run(void *unused) {
  (void)unused;
  circle();
  return 0;
}

static void circle_of_tasks(void) {
  circle();
}

static void circle_under_run(void) {
  gch_run(circle_in_run, NULL);
}

static void circle_of_threads(void) {
  static struct link links[3];
  for (int i = 0; i < 3; i++)
    links[i].from = never();
  for (int i = 0; i < 3; i++)
    links[i].to = links[(i + 1) % 3].from;
  raw_thread(pass_on_in_thread, &links[0]);
  raw_thread(pass_on_in_thread, &links[1]);
  pass_on(&links[2]);
}

static void circle_of_both(void) {
  static struct link links[3];
  for (int i = 0; i < 3; i++)
    links[i].from = never();
  for (int i = 0; i < 3; i++)
    links[i].to = links[(i + 1) % 3].from;
  gch_go(pass_on, &links[0]);
  raw_thread(pass_on_in_thread, &links[1]);
  pass_on(&links[2]);
}

static void crowd(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *gate = never();
  for (int i = 0; i < 500; i++)
    gch_wg_go(&wg, stay, gate);
  gch_wg_wait(&wg);
}

/* After something else */

static void *go_away(void *c) {
  gch_recv(c, NULL);
  return NULL;
}

static void main_leaves(void) {
  raw_thread(go_away, never());
  pthread_exit(NULL);
}

static void others_left(void) {
  gch_chan *c = never();
  pthread_t t;
  pthread_create(&t, NULL, go_away, c);
  await_waiting(c, 0, 1);
  gch_close(c);
  pthread_join(t, NULL);
  receive();
}

static void timers_fired(void) {
  gch_timer *stopped = gch_timer_new(GCH_HOUR);
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), 10 * MS);
  gch_recv(gch_after(1 * MS), NULL);
  gch_recv(gch_ctx_done(ctx), NULL);
  gch_timer_stop(stopped);
  receive();
}

static void timed_wait_is_over(void) {
  gch_recv_until(never(), NULL, gch_now() + 10 * MS);
  receive();
}

static void sleep_then_stay(void *gate) {
  sleep_outside(30 * MS);
  stay(gate);
}

static void tasks_were_blocked(void) {
  for (int i = 0; i < 6; i++)
    gch_go(sleep_then_stay, never());
  receive();
}

static void nobody_listens_now(void) {
  gch_chan *c = gch_make_of(int, 1);
  gch_signal_notify(c, &(int){SIGUSR1}, 1);
  gch_signal_stop(c);
  gch_recv(c, NULL);
}

/* A child starts the library's thread anew, with the first task. */
static void in_a_child(void) {
  int status;
  pid_t pid = fork_alone();
  if (pid == 0) {
    gch_go(stay, never());
    receive();
  }
  waitpid(pid, &status, 0);
  _exit(WEXITSTATUS(status));
}

#define THREAD "\n  receive: thread "
#define ALONE "\ngulch: asleep: threads 1, tasks 0\n"

const struct scene ends[NUM_ENDS] = {
    {"receive", receive, THREAD},
    {"send", send, "\n  send: thread "},
    {"receive from NULL", receive_from_none, ALONE},
    {"send to NULL", send_to_none, ALONE},
    {"select of nothing", select_from_nothing, ALONE},
    {"select", select_from_two, "  receive in select case 1: thread "},
    {"wait group", wait_for_a_group, ALONE},
    {"mutex", lock_twice, ALONE},
    {"cond", wait_for_a_signal_of_a_cond, ALONE},
    {"circle of tasks", circle_of_tasks, ": threads 1, tasks 2\n"},
    {"circle under run", circle_under_run, ": threads 1, tasks 3\n"},
    {"circle of threads", circle_of_threads, ": threads 3, tasks 0\n"},
    {"circle of both", circle_of_both, ": threads 2, tasks 1\n"},
    {"crowd", crowd, ": threads 1, tasks 500\n"},
    {"main leaves", main_leaves, ALONE},
    {"others left", others_left, ALONE},
    {"timers fired", timers_fired, ALONE},
    {"timed wait", timed_wait_is_over, ALONE},
    {"blocked outside before", tasks_were_blocked, ": threads 1, tasks 6\n"},
#if defined(__linux__) && !defined(GULCH_NO_FUTEX)
    {"signals stopped", nobody_listens_now, ALONE},
#else /* the relay stays */
    {"signals stopped", receive, ALONE},
#endif
    {"child", in_a_child, ": threads 1, tasks 1\n"},
};
