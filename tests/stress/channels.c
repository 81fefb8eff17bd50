/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kind of operation at once, alone and in a storm of signals. */
#define _GNU_SOURCE
#include "mix.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

START_TEST(every_value_arrives_once_and_in_order) {
  struct crew crew;
  struct mix *m = mix_new(stress_end(2));
  crew_start(&crew, MIX_THREADS, mix_main, m);
  crew_join(&crew);
  mix_check(m);
}
END_TEST

/* A handler that interrupts whatever the thread sleeps in. */
static void interrupt(int sig) {
  (void)sig;
}

/* All threads of the process but this one. */
static void pelt(int64_t end) {
  const struct timespec pause = {0, 20000};
  int self = (int)syscall(SYS_gettid);
  while (gch_now() < end) {
    DIR *dir = opendir("/proc/self/task");
    require(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
      if (e->d_name[0] != '.' && atoi(e->d_name) != self)
        syscall(SYS_tgkill, getpid(), atoi(e->d_name), SIGUSR1);
    closedir(dir);
    nanosleep(&pause, NULL);
  }
}

START_TEST(a_storm_of_signals_changes_nothing) {
  struct crew crew;
  struct sigaction sa = {.sa_handler = interrupt}; /* no SA_RESTART */
  require(sigaction(SIGUSR1, &sa, NULL) == 0);
  struct mix *m = mix_new(stress_end(2));
  crew_start(&crew, MIX_THREADS, mix_main, m);
  pelt(m->end);
  crew_join(&crew);
  mix_check(m);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/channels");
  TCase *t = test_case(s, "mix");
  tcase_add_test(t, every_value_arrives_once_and_in_order);
  tcase_add_test(t, a_storm_of_signals_changes_nothing);
  return s;
}
