/* SPDX-License-Identifier: BSD-3-Clause */
/* For facts about a whole program: a test runs its own program again, which
   plays a scene in place of the tests. */
#ifndef GULCH_TESTS_SCENE_H
#define GULCH_TESTS_SCENE_H

#include "fork_life.h"
#include "hear.h"

#include <stdlib.h>

enum { SCENE_TEXT = 1 << 18 };

/* The scene that this program is to play; NULL where it is to test. */
static inline const char *scene_to_play(void) {
  const char *name = getenv("GULCH_TEST_SCENE");
  unsetenv("GULCH_TEST_SCENE");
  return name;
}

static inline _Noreturn void become(const char *scene, const char *variable,
                                    const char *value, int out) {
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  setenv("GULCH_TEST_SCENE", scene, 1);
  if (value)
    setenv(variable, value, 1);
  else
    unsetenv(variable);
  run_program_again();
  _exit(127);
}

/* How scene ends, with this variable in its environment (value NULL: without),
   as waitpid says; and what it printed. */
static inline int play_to_end(const char *scene, const char *variable,
                              const char *value, char text[SCENE_TEXT]) {
  int fds[2], status = 0;
  if (pipe(fds) != 0)
    abort();
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    close(fds[0]);
    become(scene, variable, value, fds[1]);
  }
  close(fds[1]);
  hear(fds[0], text, SCENE_TEXT);
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      abort();
  return status;
}

/* The same for one that exits: its status. */
static inline int play_scene(const char *scene, const char *variable,
                             const char *value, char text[SCENE_TEXT]) {
  int status = play_to_end(scene, variable, value, text);
  ck_assert_msg(WIFEXITED(status), "status %#x", (unsigned)status);
  return WEXITSTATUS(status);
}

#endif
