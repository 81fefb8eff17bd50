/* SPDX-License-Identifier: BSD-3-Clause */
/* The watchdog of the tests; see watchdog.h. */
#define _GNU_SOURCE
#include "watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <execinfo.h>
#endif

/* glibc's signal for pthread_cancel: no thread can block it, the library never
   catches it, no test needs it. */
enum { ASK_SIGNAL = 32, MAX_FRAMES = 64, MAX_STRANGERS = 8 };

static struct {
  pthread_t thread;
  bool running;
  double seconds;
  sem_t stop, started;
  int tid;
} dog;

/* Threads that no code of ours may run in: ThreadSanitizer's own. */
static int strangers[MAX_STRANGERS];

static atomic_bool answered;

static void print_where(void) {
#if defined(__GLIBC__)
  void *frames[MAX_FRAMES];
  backtrace_symbols_fd(frames, backtrace(frames, MAX_FRAMES), STDERR_FILENO);
#endif
}

/* In the thread that is asked: prints where it is, and stays there. */
static void answer(int sig) {
  (void)sig;
  print_where();
  atomic_store(&answered, true);
  for (;;)
    pause();
}

/* Installs answer, for forked children too, by the system call itself: glibc
   guards its signals, and ThreadSanitizer would hold the signal back while its
   thread is parked. The kernel's struct is the handler and things (the way to
   return, flags) that are the same for every signal: those are taken from one
   set by glibc. */
static void install_answer(void) {
  unsigned long kernel_action[8] = {0};
  struct sigaction other = {.sa_handler = answer}, old;
  void (*handler)(int) = answer;
  sigaction(SIGUSR2, &other, &old);
  syscall(SYS_rt_sigaction, SIGUSR2, NULL, kernel_action, _NSIG / 8);
  sigaction(SIGUSR2, &old, NULL);
  memcpy(kernel_action, &handler, sizeof handler);
  syscall(SYS_rt_sigaction, ASK_SIGNAL, kernel_action, NULL, _NSIG / 8);
}

static void each_thread(int pid, void (*fn)(int pid, int tid)) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *dir = opendir(path);
  for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
    if (e->d_name[0] != '.' && atoi(e->d_name) != dog.tid)
      fn(pid, atoi(e->d_name));
  if (dir != NULL)
    closedir(dir);
}

static void note_stranger(int pid, int tid) {
  int i = 0;
  (void)pid;
  while (i < MAX_STRANGERS - 1 && strangers[i] != 0)
    i++;
  if (tid != (int)syscall(SYS_gettid))
    strangers[i] = tid;
}

static bool is_stranger(int tid) {
  for (int i = 0; i < MAX_STRANGERS; i++)
    if (strangers[i] == tid)
      return true;
  return false;
}

/* Copies what the kernel tells of a thread to stderr, as far as it may. */
static void print_file(int pid, int tid, const char *file) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, file);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  for (ssize_t n; fd >= 0 && (n = read(fd, text, sizeof text)) > 0;)
    dprintf(STDERR_FILENO, "%.*s", (int)n, text);
  if (fd >= 0)
    close(fd);
}

/* A child that answers tells nobody, so it has all of its time. */
static void ask(int pid, int tid) {
  const struct timespec moment = {0, 1000000};
  int moments = pid == getpid() ? 1000 : 100;
  if (is_stranger(tid))
    return;
  dprintf(STDERR_FILENO, "thread %d, ", tid);
  print_file(pid, tid, "comm");
  atomic_store(&answered, false);
  syscall(SYS_tgkill, pid, tid, ASK_SIGNAL);
  for (int i = 0; i < moments && !atomic_load(&answered); i++)
    nanosleep(&moment, NULL);
  if (atomic_load(&answered))
    return;
  dprintf(STDERR_FILENO, "(the kernel says:)\n");
  print_file(pid, tid, "stat");
  print_file(pid, tid, "stack");
}

/* The processes that the thread started, if the kernel tells. */
static void ask_children(int pid, int tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, tid);
  FILE *f = fopen(path, "re");
  for (int child; f != NULL && fscanf(f, "%d", &child) == 1;) {
    dprintf(STDERR_FILENO, "child %d of thread %d:\n", child, tid);
    each_thread(child, ask);
  }
  if (f != NULL)
    fclose(f);
}

static _Noreturn void bite(void) {
  const struct rlimit none = {0, 0};
  dprintf(STDERR_FILENO, "watchdog: the test has taken %g seconds\n",
          dog.seconds);
  each_thread(getpid(), ask);
  each_thread(getpid(), ask_children);
  setrlimit(RLIMIT_CORE, &none);
  abort();
}

static void *watch(void *arg) {
  struct timespec end;
  (void)arg;
  pthread_setname_np(pthread_self(), "watchdog");
  dog.tid = (int)syscall(SYS_gettid);
  sem_post(&dog.started);
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += (time_t)dog.seconds;
  while (sem_timedwait(&dog.stop, &end) != 0)
    if (errno == ETIMEDOUT)
      bite();
  return NULL;
}

void watchdog_prepare(void) {
#if defined(__GLIBC__)
  void *frame;
  backtrace(&frame, 1); /* loads what it needs */
#endif
  install_answer();
}

void watchdog_start(double seconds) {
  sigset_t all, old;
  dog.seconds = seconds;
  sem_init(&dog.stop, 0, 0);
  sem_init(&dog.started, 0, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  dog.running = pthread_create(&dog.thread, NULL, watch, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (!dog.running)
    return;
  while (sem_wait(&dog.started) != 0)
    continue;
  each_thread(getpid(), note_stranger);
}

void watchdog_stop(void) {
  if (!dog.running)
    return;
  sem_post(&dog.stop);
  pthread_join(dog.thread, NULL);
  sem_destroy(&dog.stop);
  sem_destroy(&dog.started);
  dog.running = false;
}
