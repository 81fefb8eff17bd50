/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads a plugin, has a thread do something with it, unloads it, and only then
   lets that thread end; again and again. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int (*run)(void);
static pthread_barrier_t done, unloaded;

static void *use(void *failed) {
  *(int *)failed = run();
  pthread_barrier_wait(&done);
  pthread_barrier_wait(&unloaded);
  return NULL;
}

static int load_and_unload(const char *path, const char *function) {
  const struct timespec while_its_threads_go_on = {0, 50000000};
  int failed;
  pthread_t thread;
  void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void *found = plugin ? dlsym(plugin, function) : NULL;
  if (!found) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  memcpy(&run, &found, sizeof run);
  if (pthread_create(&thread, NULL, use, &failed) != 0)
    return 1;
  pthread_barrier_wait(&done);
  dlclose(plugin);
  pthread_barrier_wait(&unloaded);
  pthread_join(thread, NULL);
  nanosleep(&while_its_threads_go_on, NULL);
  return failed;
}

int main(int argc, char **argv) {
  pthread_barrier_init(&done, NULL, 2);
  pthread_barrier_init(&unloaded, NULL, 2);
  for (int i = 0; argc == 3 && i < 5; i++)
    if (load_and_unload(argv[1], argv[2]) != 0)
      return 1;
  return argc == 3 ? 0 : 2;
}
