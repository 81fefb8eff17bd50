/* SPDX-License-Identifier: BSD-3-Clause */
/* Part of each program that cross.sh runs by qemu, whose version 10 holds a
   lock of its own while a thread is being started, and does not give it back in
   a process that is forked meanwhile: that hangs when it starts a thread. So no
   fork comes then.

   Lock order: this one is the last. Its handler is there before any other (from
   .preinit_array), and the last to run before a fork; and who starts a thread
   takes none while it holds this one but the C library's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

static void lock(void) {
  pthread_mutex_lock(&starting);
}

static void unlock(void) {
  pthread_mutex_unlock(&starting);
}

/* What pthread_atfork calls: the C library's, also where a test has its own. */
static void before_all(void) {
  int (*enter)(void (*)(void), void (*)(void), void (*)(void), void *library);
  *(void **)&enter = dlsym(RTLD_NEXT, "__register_atfork");
  enter(lock, unlock, unlock, NULL);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const first)(void) = before_all;

/* In the place of the C library's, for the program and for libgulch, where a
   test has none itself. */
__attribute__((weak)) int pthread_create(pthread_t *thread,
                                         const pthread_attr_t *attr,
                                         void *(*fn)(void *), void *arg) {
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
  lock();
  int error = create(thread, attr, fn, arg);
  unlock();
  return error;
}
