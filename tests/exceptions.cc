/* SPDX-License-Identifier: BSD-3-Clause */
/* Each task has its own C++ exceptions in flight. A program; or, with PLUGIN, what
   exceptions_host.c loads. */
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <gulch.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPECT(fact)                                                           \
  do {                                                                         \
    if (!(fact)) {                                                             \
      std::fprintf(stderr, "line %d: not so: %s\n", __LINE__, #fact);          \
      failures++;                                                              \
    }                                                                          \
  } while (0)

static std::atomic<int> failures;

enum { TASKS = 24, ROUNDS = 20, WAYS = 7 };

static gch_mutex mutex = GCH_MUTEX_INIT;
static gch_chan *c;

/* Others throw and catch meanwhile; afterwards it may be another thread. */
static void block(int way) {
  int v = 0;
  gch_wg none = GCH_WG_INIT;
  switch (way % WAYS) {
  case 0:
    gch_yield();
    break;
  case 1:
    gch_sleep(100 * GCH_MICROSECOND);
    break;
  case 2:
    gch_mutex_lock(&mutex);
    gch_yield();
    gch_mutex_unlock(&mutex);
    break;
  case 3:
    gch_select(GCH_RECV(nullptr, nullptr), GCH_TIMEOUT(GCH_MICROSECOND));
    break;
  case 4:
    gch_wg_go(
        &none, [](void *) { gch_yield(); }, nullptr);
    gch_wg_wait(&none);
    break;
  case 5:
    gch_send(c, &v);
    break;
  case 6:
    gch_recv(c, &v);
    break;
  }
}

struct Mine {
  int owner, value;
  bool alive = true;
  Mine(int o, int v) : owner(o), value(v) {
  }
  Mine(const Mine &other) : owner(other.owner), value(other.value) {
  }
  ~Mine() {
    alive = false;
    owner = value = -1;
  }
};

static void expect(const Mine &e, int me, int v) {
  EXPECT(e.alive && e.owner == me && e.value == v);
}

/* In a catch block, which then rethrows. */
static void parks_in_catch(int me, int way) {
  int unwinding = std::uncaught_exceptions();
  try {
    try {
      throw Mine(me, 1);
    } catch (Mine &e) {
      block(way);
      expect(e, me, 1);
      EXPECT(std::uncaught_exceptions() == unwinding);
      throw;
    }
  } catch (Mine &e) {
    block(way + 1);
    expect(e, me, 1);
  }
  EXPECT(!std::current_exception());
}

static void parks_in_nested_catches(int me, int way) {
  try {
    throw Mine(me, 1);
  } catch (Mine &outer) {
    block(way);
    try {
      throw Mine(me, 2);
    } catch (Mine &inner) {
      block(way);
      expect(inner, me, 2);
    }
    block(way);
    expect(outer, me, 1);
    try {
      throw;
    } catch (Mine &again) {
      expect(again, me, 1);
    }
  }
  EXPECT(!std::current_exception());
}

/* In a destructor, while an exception is on its way up. */
struct Blocks {
  int me, way;
  ~Blocks() {
    EXPECT(std::uncaught_exceptions() == 1);
    block(way);
    EXPECT(std::uncaught_exceptions() == 1);
    parks_in_catch(me, way);
    EXPECT(std::uncaught_exceptions() == 1);
  }
};

static void parks_while_unwinding(int me, int way) {
  try {
    Blocks b{me, way};
    throw Mine(me, 3);
  } catch (Mine &e) {
    expect(e, me, 3);
  }
  EXPECT(std::uncaught_exceptions() == 0);
}

static void keeps_by_pointer(int me, int way) {
  std::exception_ptr p;
  try {
    throw Mine(me, 4);
  } catch (...) {
    block(way);
    p = std::current_exception();
  }
  EXPECT(p);
  block(way);
  try {
    std::rethrow_exception(p);
  } catch (Mine &e) {
    p = nullptr;
    block(way);
    expect(e, me, 4);
  }
}

static void task(void *arg) {
  int me = (int)(intptr_t)arg;
  EXPECT(std::uncaught_exceptions() == 0 && !std::current_exception());
  for (int i = 0; i < ROUNDS; i++) {
    int way = (i + me) % 5 ? i % 5 : 5 + me % 2; /* as many send as receive */
    parks_in_catch(me, way);
    parks_in_nested_catches(me, way);
    parks_while_unwinding(me, way);
    keeps_by_pointer(me, way);
  }
  EXPECT(std::uncaught_exceptions() == 0 && !std::current_exception());
}

static void peer(void *sends) {
  int v = 0;
  while ((sends ? gch_send(c, &v) : gch_recv(c, &v)) == 0)
    continue;
}

static void throw_out(void *) {
  gch_yield();
  throw Mine(1, 1);
}

/* As of a thread. */
static void what_leaves_a_task_terminates() {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    std::set_terminate([] { _exit(42); });
    gch_go(throw_out, nullptr);
    gch_sleep(10 * GCH_SECOND);
    _exit(1);
  }
  waitpid(pid, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

extern "C" int run_all() {
  gch_wg tasks = GCH_WG_INIT, peers = GCH_WG_INIT;
  what_leaves_a_task_terminates();
  gch_maxprocs(4);
  c = gch_make_of(int, 0);
  gch_wg_go(&peers, peer, nullptr);
  gch_wg_go(&peers, peer, &peers);
  for (intptr_t i = 0; i < TASKS; i++)
    gch_wg_go(&tasks, task, (void *)i);
  gch_wg_wait(&tasks);
  gch_close(c);
  gch_wg_wait(&peers);
  gch_unref(c);
  return failures != 0;
}

#ifndef PLUGIN
int main() {
  return run_all();
}
#endif
