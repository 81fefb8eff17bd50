/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A panic: the hook, the words, where, the end. Whoever panics may hold any
 * lock, and so may threads that will not go on. So the words are said first
 * (say.h); where it was is found by means that allocate and lock, and the
 * process ends whether that comes to an end or not.
 */
#include "park/cancel.h"
#include "park/cpu.h"
#include "park/say.h"
#include "park/strict.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <execinfo.h>
#endif

enum { MAX_WORDS = 1024, MAX_FRAMES = 64, PATIENCE = 2 /* seconds */ };

gch__setting gch__strict_mode = GCH_NOT_READ;
static _Atomic(void (*)(const char *)) hook;

void gch_set_strict(bool on) {
  atomic_store(&gch__strict_mode, on ? GCH_ON : GCH_OFF);
}

void gch_set_panic_hook(void (*h)(const char *msg)) {
  atomic_store(&hook, h);
}

#if defined(__GLIBC__)
static void give_up(int sig) {
  (void)sig;
  abort();
}

static void print_where(void) {
  void *frames[MAX_FRAMES];
  struct sigaction action = {.sa_handler = give_up}, old;
  sigset_t set, before;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, &old);
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, &before);
  unsigned left = alarm(PATIENCE);
  backtrace_symbols_fd(frames, backtrace(frames, MAX_FRAMES), STDERR_FILENO);
  alarm(left);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  sigaction(SIGALRM, &old, NULL);
}
#else
static void print_where(void) {
}
#endif

/* A panic whose hook has not returned. The hook may have left by longjmp: then
   that frame is gone, which mostly can be seen. */
struct panic {
  struct panic *self; /* until the hook returns */
  const char *words;
  int depth; /* in hooks that panic themselves */
};

/* The last one in the calling thread, and where its frame is. */
static GCH_THREAD_LOCAL struct {
  struct panic *panic;
  const char *frame;
} last;

enum { MAX_DEPTH = 16, NEAR = 64 * 1024 };

/* The panic in whose hook the one with the frame `here` is; NULL: none. Where a
   hook has left by longjmp, what is read may be in a red zone by now. */
__attribute__((no_sanitize_address)) static const struct panic *
outer(const char *here) {
  uintptr_t above = (uintptr_t)last.frame - (uintptr_t)here;
  bool below = last.panic && above > MAX_WORDS && above < NEAR;
  return below && last.panic->self == last.panic ? last.panic : NULL;
}

static void call_hook(void (*h)(const char *), struct panic *p,
                      const char *frame) {
  p->self = last.panic = p;
  last.frame = frame;
  h(p->words);
  p->self = NULL;
}

void gch_vpanic(const char *fmt, va_list ap) {
  char words[MAX_WORDS];
  gch__cancel_off(); /* else a thread's end could come before the process's */
  vsnprintf(words, sizeof words, fmt, ap);
  void (*h)(const char *) = atomic_load(&hook);
  const char *here = __builtin_frame_address(0);
  const struct panic *o = outer(here);
  struct panic p = {.words = words, .depth = o ? o->depth + 1 : 0};
  if (h && p.depth < MAX_DEPTH)
    call_hook(h, &p, here);
  bool said =
      o ? gch__say("panic: %s\n\tin the hook of: %s\n\n", words, o->words)
        : gch__say("panic: %s\n\n", words);
  if (said)
    print_where();
  abort();
}

void gch_panic(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  gch_vpanic(fmt, ap);
}
