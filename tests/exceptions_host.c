/* SPDX-License-Identifier: BSD-3-Clause */
/* A C program, in which tasks have run before the C++ plugin argv[1] is
   loaded. */
#include <dlfcn.h>
#include <gulch.h>
#include <stdio.h>

static int yields(void *arg) {
  (void)arg;
  gch_yield();
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2 || gch_run(yields, NULL) != 0)
    return 2;
  void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!plugin) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  int (*run_all)(void);
  *(void **)&run_all = dlsym(plugin, "run_all");
  int err = run_all ? run_all() : 2;
  dlclose(plugin);
  return err;
}
