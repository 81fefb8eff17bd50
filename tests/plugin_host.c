/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads a plugin, has it do something, unloads it, again and again. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv) {
  for (int i = 0; argc == 3 && i < 5; i++) {
    int (*run)(void);
    const struct timespec while_its_threads_go_on = {0, 50000000};
    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void *found = plugin ? dlsym(plugin, argv[2]) : NULL;
    if (!found) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    memcpy(&run, &found, sizeof run);
    if (run() != 0)
      return 1;
    dlclose(plugin);
    nanosleep(&while_its_threads_go_on, NULL);
  }
  return argc == 3 ? 0 : 2;
}
