/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects with static storage whose constructors start tasks and whose
   destructors await them: before the library's constructors, where it is linked
   statically, and after main. The tasks park where they handle an exception. */
#include <gulch.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

static void must(bool right, const char *what) {
  if (right)
    return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::_Exit(1);
}

struct Pool {
  enum { SIZE = 8 };
  gch_chan *jobs = gch_make_of(int, 0);
  gch_wg wg = GCH_WG_INIT;
  long sum = 0;
  gch_mutex lock = GCH_MUTEX_INIT;

  Pool() {
    for (int i = 0; i < SIZE; i++)
      must(gch_wg_go(&wg, work, this) == 0, "a task starts");
    for (int i = 1; i <= 100; i++)
      must(gch_send(jobs, &i) == 0, "a job is taken");
  }

  ~Pool() {
    for (int i = 1; i <= 100; i++)
      must(gch_send(jobs, &i) == 0, "a job is taken in the end");
    gch_close(jobs);
    gch_wg_wait(&wg);
    gch_unref(jobs);
    must(sum == 2 * 5050, "all jobs are done");
    std::puts("done");
    std::fflush(stdout);
  }

  void handle(int job) {
    try {
      throw std::runtime_error(std::to_string(job));
    } catch (const std::exception &e) {
      gch_yield();
      gch_mutex_lock(&lock);
      sum += std::atoi(e.what());
      gch_mutex_unlock(&lock);
    }
  }

  static void work(void *arg) {
    Pool *p = static_cast<Pool *>(arg);
    for (int job; gch_recv(p->jobs, &job) == 0;)
      p->handle(job);
  }
};

#ifndef NO_SHARED_LIBRARY /* where nothing can be thrown so early */
static Pool early __attribute__((init_priority(101)));
#endif
static Pool late;

int main() {
  return 0;
}
