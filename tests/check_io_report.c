/* SPDX-License-Identifier: BSD-3-Clause */
/* Who waits for a descriptor, in dumps and reports; over a fork; and what
   waiting costs. */
#define _GNU_SOURCE
#include "io_facts.h"
#include "scene.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* The dump */

static char *dump(void) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  gch_dump(out);
  fclose(out);
  return text;
}

static void expect_line(const char *text, int fd, const char *word) {
  char want[64];
  snprintf(want, sizeof want, "fd %d: %s: ", fd, word);
  const char *at = strstr(text, want);
  ck_assert_msg(at, "no \"%s\" in:\n%s", want, text);
  int s, ms;
  const char *end = strchr(at, '\n');
  while (end > at && *end != ',')
    end--;
  ck_assert_int_eq(sscanf(end, ", %d.%3d s\n", &s, &ms), 2);
}

START_TEST(a_dump_says_who_waits_for_what) {
  struct ends e = make_ends(SOCKETS + _i);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ck_assert_int_eq(
      bind(listener, &(struct sockaddr){.sa_family = AF_UNIX}, 2), 0);
  ck_assert_int_eq(listen(listener, 1), 0);
  fill(e.out);
  struct io_call c[] = {{.fd = e.out, .call = call_read},
                        {.fd = e.out, .call = call_write},
                        {.fd = e.in, .call = call_readable},
                        {.fd = e.out, .call = call_wait_read},
                        {.fd = listener, .call = call_accept}};
  enum { N = sizeof c / sizeof *c };
  test_thread *t[N];
  for (int i = 0; i < N; i++)
    t[i] = start_io(&c[i]);
  char buf[8];
  ck_assert_int_ge(recv(e.in, buf, 0, MSG_DONTWAIT), 0);
  await_io(e.out, 2, 1);
  await_io(listener, 1, 0);
  char *text = dump();
  expect_line(text, e.out, "read");
  expect_line(text, e.out, "write");
  expect_line(text, e.out, "wait");
  expect_line(text, listener, "accept");
  free(text);
  ck_assert_int_eq(gch_io_close(e.out), 0);
  ck_assert_int_eq(gch_io_close(e.in), 0);
  ck_assert_int_eq(gch_io_close(listener), 0);
  for (int i = 0; i < N; i++)
    thread_join(t[i]);
}
END_TEST

START_TEST(a_dump_shows_arms) {
  struct ends e = make_ends(_i);
  struct io_call c = {.fd = e.out, .call = call_readable};
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  char *text = dump();
  expect_line(text, e.out, "select case 0");
  free(text);
  put(e.in, "x");
  thread_join(t);
  close_ends(e);
}
END_TEST

/* Deadlocks */

static void wait_for_pipe(void) {
  int fds[2];
  char c;
  if (pipe(fds) != 0 || gch_io_read_until(fds[0], &c, 1, NULL,
                                          gch_in(300 * GCH_MILLISECOND)) != 0)
    exit(0);
}

static void wait_for_nobody(void *arg) {
  char c;
  gch_io_read(*(int *)arg, &c, 1, NULL);
}

static void thread_for_pipe(void) {
  static int fds[2];
  if (pipe(fds) != 0)
    abort();
  gch_go(wait_for_nobody, &fds[0]);
  await_io(fds[0], 1, 0);
  gch_sleep(300 * GCH_MILLISECOND);
  exit(3);
}

/* A descriptor is known, and nobody waits for it. */
static void deadlock_beside_pipe(void) {
  int fds[2];
  char c;
  if (pipe(fds) != 0)
    abort();
  gch_io_read_until(fds[0], &c, 1, NULL, gch_in(1));
  gch_recv(NULL, NULL);
}

static void play(const char *scene) {
  if (strcmp(scene, "pipe") == 0)
    wait_for_pipe();
  else if (strcmp(scene, "task") == 0)
    thread_for_pipe();
  else
    deadlock_beside_pipe();
  exit(9);
}

START_TEST(who_waits_for_a_descriptor_is_in_no_deadlock) {
  char text[SCENE_TEXT];
  int status = play_to_end("pipe", "GULCH_DEADLOCK", "1", text);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", text);
  status = play_to_end("task", "GULCH_DEADLOCK", "1", text);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 3, "%s", text);
}
END_TEST

#if !SANITIZED
START_TEST(a_descriptor_that_nobody_waits_for_hides_no_deadlock) {
  char text[SCENE_TEXT];
  int status = play_to_end("deadlock", "GULCH_DEADLOCK", "1", text);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 2, "%s", text);
}
END_TEST

/* Fork */

static int ended(pid_t pid) {
  int status;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(inherited_descriptors_work_in_a_child_and_go_on_in_the_parent) {
  struct ends e = make_ends(_i), other = make_ends(_i);
  struct io_call c = {.fd = e.out, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  pid_t pid = fork_alone();
  if (pid == 0) {
    char byte;
    size_t n, r;
    gch_io_waiting(e.out, &r, NULL);
    if (r != 0)
      _exit(1);
    struct ends fresh = make_ends(_i);
    if (gch_io_read_until(fresh.out, &byte, 1, NULL, gch_in(1000)) != ETIMEDOUT)
      _exit(2);
    if (gch_io_read(other.out, &byte, 1, &n) != 0 || n != 1)
      _exit(3);
    /* Closing here takes nothing from the parent. */
    if (gch_io_close(e.out) != 0 || gch_io_close(e.in) != 0)
      _exit(4);
    _exit(0);
  }
  put(other.in, "x");
  ck_assert_int_eq(ended(pid), 0);
  await_io(e.out, 1, 0);
  put(e.in, "y");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  close_ends(e);
  close_ends(other);
}
END_TEST
#endif

/* Costs */

static int64_t cpu_time(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * GCH_SECOND +
         (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * GCH_MICROSECOND;
}

static long switches(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_nvcsw;
}

START_TEST(a_thousand_who_wait_need_no_thread_and_no_processor) {
  enum { WAITERS = 1000 };
  static struct io_call c[WAITERS];
  struct rlimit many = {4096, 4096};
  getrlimit(RLIMIT_NOFILE, &many);
  many.rlim_cur = many.rlim_max;
  setrlimit(RLIMIT_NOFILE, &many);
  struct ends e[WAITERS];
  gch_wg wg = {0};
  for (int i = 0; i < WAITERS; i++) {
    e[i] = make_ends(_i);
    c[i] = (struct io_call){.fd = e[i].out, .call = call_read};
    ck_assert_int_eq((gch_wg_go)(&wg, run_io, &c[i]), 0);
  }
  for (int i = 0; i < WAITERS; i++)
    await_io(e[i].out, 1, 0);
  ck_assert_int_lt(thread_count(), WAITERS / 8); /* a few, on a busy machine */
  gch_sleep(200 * GCH_MILLISECOND); /* the monitor stops */
  int64_t before = cpu_time();
  long waits = switches();
  gch_sleep(500 * GCH_MILLISECOND);
  if (!SANITIZED) { /* they have a thread of their own */
    ck_assert_int_lt(switches() - waits, WAITERS / 4); /* the monitor's first */
    ck_assert_int_le(cpu_time() - before, 50 * GCH_MILLISECOND);
  }
  for (int i = 0; i < WAITERS; i++)
    put(e[i].in, "x");
  gch_wg_wait(&wg);
  for (int i = 0; i < WAITERS; i++) {
    ck_assert_int_eq(c[i].err, 0);
    close_ends(e[i]);
  }
}
END_TEST

/* A task whose reads never wait, on the only worker. */
static void read_for_ever(void *arg) {
  char c;
  size_t n;
  while (gch_io_read(*(int *)arg, &c, 1, &n) == 0 && n == 1)
    ;
}

static void note_over(void *arg) {
  atomic_store((_Atomic int *)arg, 1);
}

START_TEST(a_task_that_never_waits_yields_from_time_to_time) {
  int zero = open("/dev/zero", O_RDONLY);
  static _Atomic int over;
  ck_assert_int_gt(gch_maxprocs(1), 0);
  gch_wg wg = {0};
  ck_assert_int_eq((gch_wg_go)(&wg, read_for_ever, &zero), 0);
  ck_assert_int_eq((gch_go)(note_over, (void *)&over), 0);
  await_count((const _Atomic int *)&over, 1);
  ck_assert_int_eq(gch_io_close(zero), 0);
  gch_wg_wait(&wg);
}
END_TEST

Suite *test_suite(void) {
  const char *scene = scene_to_play();
  if (scene)
    play(scene);
  Suite *s = suite_create("io_report");
  TCase *t = test_case(s, "dump");
  tcase_add_loop_test(t, a_dump_says_who_waits_for_what, 0, 2);
  add_io_test(t, a_dump_shows_arms);
  t = test_case(s, "deadlock");
  tcase_add_test(t, who_waits_for_a_descriptor_is_in_no_deadlock);
#if !SANITIZED
  tcase_add_test(t, a_descriptor_that_nobody_waits_for_hides_no_deadlock);
  t = test_case(s, "fork");
  add_io_test(t, inherited_descriptors_work_in_a_child_and_go_on_in_the_parent);
#endif
  t = test_case(s, "costs");
  tcase_add_loop_test(t, a_thousand_who_wait_need_no_thread_and_no_processor, 0,
                      KINDS);
  tcase_add_test(t, a_task_that_never_waits_yields_from_time_to_time);
  return s;
}
