/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_dump: into which streams, from where, and what forks leave of it. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "dump_text.h"
#include "fork_life.h"

#include <stdatomic.h>
#include <sys/syscall.h>

/* Where it goes */

START_TEST(null_is_stderr) {
  FILE *file = tmpfile();
  GCH_AUTO gch_chan *c = gch_make(0, 7);
  int old = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  gch_dump(NULL);
  dup2(old, STDERR_FILENO);
  close(old);
  char line[128] = "";
  rewind(file);
  ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
  ck_assert_ptr_nonnull(strstr(line, ": 0 bytes, 0/7, open\n"));
  fclose(file);
}
END_TEST

START_TEST(a_dump_leaves_errno_alone) {
  GCH_AUTO gch_chan *c = gch_make(0, 0);
  FILE *full = fopen("/dev/full", "w");
  ck_assert_ptr_nonnull(full);
  setvbuf(full, NULL, _IONBF, 0);
  errno = ENOENT;
  gch_dump(full);
  ck_assert_int_eq(errno, ENOENT);
  ck_assert_int_ne(ferror(full), 0);
  fclose(full);
}
END_TEST

struct user {
  gch_chan **chans;
  int n;
  int writes;
};

/* Surely those too before which the dump stands. */
static void free_most(struct user *u) {
  int left = 0;
  for (int i = 0; i < u->n; i++)
    if (i % 5 == 0)
      u->chans[left++] = u->chans[i];
    else
      gch_unref(u->chans[i]);
  u->n = left;
}

/* A stream whose writing does with the channels shown what it likes. */
static ssize_t use_channels(void *cookie, const char *buf, size_t size) {
  struct user *u = cookie;
  gch_chan *fresh = gch_make_of(int, 1);
  gch_send(fresh, &(int){1});
  gch_set_name(fresh, "fresh");
  if (u->writes++ == 0)
    free_most(u);
  if (u->writes < 3)
    free(dump());
  if (u->n > 0)
    gch_unref(u->chans[--u->n]);
  if (u->n > 0) {
    gch_close(u->chans[0]);
    gch_try_recv(u->chans[0], NULL);
  }
  gch_unref(fresh);
  (void)buf;
  return (ssize_t)size;
}

START_TEST(a_stream_may_itself_use_and_free_channels_and_dump) {
  enum { MANY = 500 };
  gch_chan *chans[MANY];
  struct user u = {.chans = chans, .n = MANY};
  for (int i = 0; i < MANY; i++)
    chans[i] = gch_make_of(int, 1);
  FILE *out =
      fopencookie(&u, "w", (cookie_io_functions_t){.write = use_channels});
  ck_assert_ptr_nonnull(out);
  setvbuf(out, NULL, _IOLBF, 80);
  gch_dump(out);
  fclose(out);
  ck_assert_int_ge(u.writes, 16);
  while (u.n > 0)
    gch_unref(chans[--u.n]);
}
END_TEST

/* Fork */

START_TEST(a_child_shows_what_it_made_itself) {
  GCH_AUTO gch_chan *before = gch_make(0, 0);
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    gch_chan *after = gch_make(0, 0);
    _exit(!is_shown(before) && is_shown(after) ? OK : WRONG);
  }
  ck_assert_int_eq(status_of(pid), OK);
  ck_assert(is_shown(before));
}
END_TEST

/* In any order, and mixed with its own. */
static int free_inherited(gch_chan **chans, int n, int step) {
  gch_chan *own[64];
  for (int i = 0; i < 64; i++)
    own[i] = gch_make(0, 0);
  for (int i = 0, at = 0; i < n; i++, at = (at + step) % n)
    gch_unref(chans[at]);
  for (int i = 0; i < 64; i++)
    if (!is_shown(own[i]))
      return WRONG;
  for (int i = 0; i < 64; i++)
    gch_unref(own[i]);
  char *text = dump();
  bool empty = *text == '\0';
  free(text);
  return empty ? OK : WRONG;
}

START_TEST(a_childs_child_may_free_the_channels_of_both) {
  enum { MANY = 301 };
  gch_chan *chans[2 * MANY];
  for (int i = 0; i < MANY; i++)
    chans[i] = gch_make(0, 0);
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    for (int i = MANY; i < 2 * MANY; i++)
      chans[i] = gch_make(0, 0);
    pid_t next = fork_with_parent();
    if (next == 0)
      _exit(free_inherited(chans, 2 * MANY, 5));
    _exit(status_of(next) != OK ? WRONG : free_inherited(chans, 2 * MANY, 1));
  }
  ck_assert_int_eq(status_of(pid), OK);
  for (int i = 0; i < MANY; i++)
    gch_unref(chans[i]);
}
END_TEST

struct witness {
  gch_chan *c;
  char *seen;
};

static void look_and_close(void *arg) {
  struct witness *w = arg;
  await_waiting(w->c, 0, 1);
  w->seen = dump();
  gch_close(w->c);
}

START_TEST(who_forked_is_shown_in_the_child_by_its_new_number) {
  GCH_AUTO gch_chan *c = gch_make(0, 0);
  gch_recv_until(c, NULL, gch_now() + 1); /* parks: knows its thread */
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    struct witness w = {gch_make(0, 0), ""};
    thread_start(look_and_close, &w);
    gch_recv(w.c, NULL);
    char by[64];
    snprintf(by, sizeof by, "receive: thread %ld,", syscall(SYS_gettid));
    _exit(strstr(w.seen, by) ? OK : WRONG);
  }
  ck_assert_int_eq(status_of(pid), OK);
}
END_TEST

struct bustle {
  atomic_bool over;
};

static void make_and_free(void *arg) {
  struct bustle *b = arg;
  gch_chan *chans[16] = {NULL};
  for (unsigned i = 0; !atomic_load(&b->over); i++) {
    gch_unref(chans[i % 16]);
    chans[i % 16] = gch_make(0, 0);
  }
  for (int i = 0; i < 16; i++)
    gch_unref(chans[i]);
}

START_TEST(a_fork_may_come_while_channels_are_made_and_freed) {
  struct bustle b = {false};
  GCH_AUTO gch_chan *before = gch_make(0, 0);
  test_thread *t = thread_start(make_and_free, &b);
  for (int i = 0; i < scaled(50); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(free_inherited(&before, 1, 1));
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&b.over, true);
  thread_join(t);
}
END_TEST

/* A receiver who leaves takes the alarm back, with the channel's lock held; a
   dump waits for that lock. */
static void ask_a_timer(void *arg) {
  struct bustle *b = arg;
  gch_timer *t = gch_timer_new(GCH_HOUR);
  while (!atomic_load(&b->over))
    gch_recv_until(gch_timer_chan(t), NULL, gch_now() + 1000);
  gch_timer_free(t);
}

static void keep_dumping(void *arg) {
  struct bustle *b = arg;
  while (!atomic_load(&b->over))
    free(dump());
}

START_TEST(a_fork_may_come_while_a_dump_looks_at_a_timer_that_is_asked) {
  struct bustle b = {false};
  test_thread *threads[] = {thread_start(ask_a_timer, &b),
                            thread_start(ask_a_timer, &b),
                            thread_start(keep_dumping, &b)};
  for (int i = 0; i < scaled(300); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(OK);
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&b.over, true);
  for (int i = 0; i < 3; i++)
    thread_join(threads[i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("dump_anytime");
  TCase *streams = test_case(s, "streams");
  tcase_add_test(streams, null_is_stderr);
  tcase_add_test(streams, a_dump_leaves_errno_alone);
  tcase_add_test(streams, a_stream_may_itself_use_and_free_channels_and_dump);
  TCase *forks = test_case(s, "fork");
  tcase_add_test(forks, a_child_shows_what_it_made_itself);
  tcase_add_test(forks, a_childs_child_may_free_the_channels_of_both);
  tcase_add_test(forks, who_forked_is_shown_in_the_child_by_its_new_number);
  if (!SANITIZED) {
    tcase_add_test(forks, a_fork_may_come_while_channels_are_made_and_freed);
    tcase_add_test(
        forks, a_fork_may_come_while_a_dump_looks_at_a_timer_that_is_asked);
  }
  return s;
}
