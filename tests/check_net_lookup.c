/* SPDX-License-Identifier: BSD-3-Clause */
/* Look-ups: what they give, and that nobody need wait for one. */
#include "fork_life.h"
#include "net_facts.h"
#include "net_fake.h"

static atomic_bool no_threads;

#if !SANITIZED /* whose own it would be */
/* Takes the place of the C library's. */
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *),
                   void *arg) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                     void *);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  return atomic_load(&no_threads) ? EAGAIN : real(t, a, fn, arg);
}
#endif

static int look_up(const gch_ctx *ctx, const char *host) {
  struct addrinfo *ai = NULL;
  int err = gch_net_lookup(ctx, host, NULL, NULL, &ai);
  if (err == 0)
    freeaddrinfo(ai);
  return err;
}

static void await_equal(atomic_int *n, int want) {
  while (atomic_load(n) != want)
    gch_sleep(100 * GCH_MICROSECOND);
}

static void await_few_threads(int n) {
  while (thread_count() > n)
    gch_sleep(GCH_MILLISECOND);
}

/* Answers */

START_TEST(it_is_getaddrinfo) {
  struct addrinfo *ai = NULL;
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  errno = 77;
  ok(gch_net_lookup(bg(), "127.0.0.1", "http", &hints, &ai));
  ck_assert_int_eq(errno, 77);
  ck_assert_int_eq(ai->ai_family, AF_INET);
  const struct sockaddr_in *in = (const void *)ai->ai_addr;
  ck_assert_int_eq(ntohs(in->sin_port), 80);
  ck_assert_ptr_null(ai->ai_next); /* by the hints */
  freeaddrinfo(ai);
  ok(gch_net_lookup(bg(), NULL, "80", NULL, &ai));
  freeaddrinfo(ai);
  ok(gch_net_lookup(bg(), "127.0.0.1", NULL, NULL, NULL));
  await_equal(&fake_lists, 0);
}
END_TEST

START_TEST(errors_are_told_apart) {
  ck_assert_int_eq(look_up(bg(), "none"), EHOSTUNREACH);
  ck_assert_int_eq(look_up(bg(), "again"), EIO);
  ck_assert_int_eq(look_up(bg(), "fail"), EIO);
  ck_assert_int_eq(look_up(bg(), "system"), ENOTTY);
  ck_assert_int_eq(look_up(bg(), "memory"), ENOMEM);
  ck_assert_int_eq(look_up(bg(), "family"), EINVAL);
  struct addrinfo *ai;
  ck_assert_int_eq(gch_net_lookup(bg(), NULL, NULL, NULL, &ai), EINVAL);
  ck_assert_int_eq(gch_net_lookup(bg(), "127.0.0.1", "no-such", NULL, &ai),
                   EINVAL);
  ck_assert_int_eq(gch_net_lookup(bg(), NULL, "no-such", NULL, &ai), EINVAL);
  const struct addrinfo number = {.ai_flags = AI_NUMERICSERV};
  ck_assert_int_eq(gch_net_lookup(bg(), "127.0.0.1", "http", &number, &ai),
                   EINVAL);
  int fd;
  ck_assert_int_eq(gch_net_dial(bg(), "tcp", "none:80", &fd), EHOSTUNREACH);
  ck_assert_int_eq(gch_net_dial(bg(), "tcp", "again:80", &fd), EIO);
  ck_assert_int_eq(gch_net_listen("tcp", "none:80", &fd), EHOSTUNREACH);
}
END_TEST

/* Contexts */

START_TEST(a_done_context_asks_nobody) {
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(look_up(ctx, "127.0.0.1"), ECANCELED);
  ck_assert_int_eq(atomic_load(&fake_asked), 0);
  gch_ctx_end(ctx);
  ctx = gch_ctx_with_timeout(bg(), 0);
  ck_assert_int_eq(look_up(ctx, "127.0.0.1"), ETIMEDOUT);
  ck_assert_int_eq(atomic_load(&fake_asked), 0);
  gch_ctx_end(ctx);
}
END_TEST

struct canceller {
  gch_ctx *ctx;
  int hanging;
};

static void cancel_when_it_hangs(void *arg) {
  struct canceller *c = arg;
  await_count(&fake_hanging, c->hanging);
  gch_ctx_cancel(c->ctx);
}

START_TEST(who_gives_up_leaves_it_to_end_alone) {
  int before = thread_count();
  for (int i = 1; i <= 2; i++) {
    struct canceller c = {gch_ctx_with_cancel(bg()), i};
    test_thread *t = thread_start(cancel_when_it_hangs, &c);
    int fd, err = i == 1 ? look_up(c.ctx, "hang")
                         : gch_net_dial(c.ctx, "tcp", "hang:80", &fd);
    ck_assert_int_eq(err, ECANCELED);
    thread_join(t);
    gch_ctx_end(c.ctx);
  }
  fake_open(true);
  await_equal(&fake_hanging, 0);
  await_equal(&fake_lists, 0);   /* what nobody waits for is freed */
  await_few_threads(before + 4); /* the library's own, workers */
}
END_TEST

/* Threads */

static void look_up_hang(void *done) {
  ok(look_up(bg(), "hang"));
  gch_send(done, NULL);
}

START_TEST(there_are_at_most_64_at_once) {
  enum { MANY = 100, MOST = 64 };
  gch_chan *done = gch_make(0, MANY);
  for (int i = 0; i < MANY; i++)
    ok(gch_go(look_up_hang, done));
  await_count(&fake_hanging, MOST);
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 10 * GCH_MILLISECOND);
  int asked = atomic_load(&fake_asked);
  ck_assert_int_eq(look_up(ctx, "hang-queued"), ETIMEDOUT);
  gch_ctx_end(ctx);
  ck_assert_int_eq(asked, MOST);
  ck_assert_int_eq(atomic_load(&fake_asked), MOST);
  fake_open(true);
  for (int i = 0; i < MANY; i++)
    gch_recv(done, NULL);
  ck_assert_int_eq(atomic_load(&fake_most), MOST);
  ck_assert_int_eq(atomic_load(&fake_asked), MANY); /* it was withdrawn */
  gch_unref(done);
}
END_TEST

/* One that is about to end may wait for a processor. */
START_TEST(threads_go_when_there_is_nothing_to_look_up) {
  ok(look_up(bg(), "127.0.0.1"));
  int before = thread_count();
  for (int i = 0; i < scaled(200); i++)
    ok(look_up(bg(), "127.0.0.1"));
  while (thread_count() > before)
    gch_sleep(GCH_MILLISECOND);
}
END_TEST

START_TEST(without_a_thread_it_is_told) {
  gch_after(0); /* the library has its own */
  atomic_store(&no_threads, true);
  ck_assert_int_eq(look_up(bg(), "127.0.0.1"), ENOMEM);
  atomic_store(&no_threads, false);
  ok(look_up(bg(), "127.0.0.1"));
}
END_TEST

/* Fork */

static int look_up_in_child(void) {
  atomic_store(&fake_lists, 0);
  int asked = atomic_load(&fake_asked);
  require(look_up(bg(), "127.0.0.1") == 0);
  require(atomic_load(&fake_asked) == asked + 1);
  require(atomic_load(&fake_lists) == 0);
  return OK;
}

START_TEST(a_child_has_its_own_and_frees_what_was_left) {
  gch_chan *done = gch_make(0, 100);
  for (int i = 0; i < 70; i++)
    ok(gch_go(look_up_hang, done));
  await_count(&fake_hanging, 64);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(look_up_in_child());
  ck_assert_int_eq(status_of(pid), OK);
  fake_open(true);
  for (int i = 0; i < 70; i++)
    gch_recv(done, NULL);
  gch_unref(done);
}
END_TEST

static void look_up_much(void *arg) {
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 200 * GCH_MICROSECOND);
  (void)arg;
  for (int i = 0; i < scaled(100); i++) {
    int err = look_up(i % 2 ? ctx : bg(), "list-127.0.0.1,::1");
    ck_assert(err == 0 || err == ETIMEDOUT);
    gch_ctx_end(ctx);
    ctx = gch_ctx_with_timeout(bg(), i * GCH_MICROSECOND);
  }
  gch_ctx_end(ctx);
}

START_TEST(giving_up_races_the_answer) {
  test_thread *t[8];
  for (int i = 0; i < 8; i++)
    t[i] = thread_start(look_up_much, NULL);
  for (int i = 0; i < 8; i++)
    thread_join(t[i]);
  await_equal(&fake_lists, 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("net, look-ups");
  TCase *t = test_case(s, "look-ups");
  tcase_add_test(t, it_is_getaddrinfo);
  tcase_add_test(t, errors_are_told_apart);
  tcase_add_test(t, a_done_context_asks_nobody);
  tcase_add_test(t, who_gives_up_leaves_it_to_end_alone);
  tcase_add_test(t, there_are_at_most_64_at_once);
  tcase_add_test(t, threads_go_when_there_is_nothing_to_look_up);
  if (!SANITIZED) {
    tcase_add_test(t, without_a_thread_it_is_told);
    tcase_add_test(t, a_child_has_its_own_and_frees_what_was_left);
  }
  tcase_add_test(t, giving_up_races_the_answer);
  return s;
}
