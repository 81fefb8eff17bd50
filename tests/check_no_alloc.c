/* SPDX-License-Identifier: BSD-3-Clause */
/* No operation but make allocates; make that gets no memory gives ENOMEM.
   The program's own malloc counts; a sanitizer would not stand for that, so
   there these tests see no allocation at all. */
#define TEST_AS_IS
#include "chan_forms.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Allocations of this thread. */
static _Thread_local int allocations;

#if defined(__GLIBC__) && !SANITIZED
#define COUNTS 1

/* Whether this thread's allocations fail. */
static _Thread_local bool failing;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static bool fails(void) {
  allocations++;
  if (failing)
    errno = ENOMEM;
  return failing;
}

void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
  return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size) {
  return fails() ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size) {
  return fails() ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size) {
  *p = fails() ? NULL : __libc_memalign(align, size);
  return *p ? 0 : ENOMEM;
}
#else
#define COUNTS 0
#endif

START_TEST(make_allocates_which_this_program_sees) {
  int before = allocations;
  GCH_AUTO gch_chan *c = gch_make_of(int, 10);
  ck_assert_int_ge(allocations, before + COUNTS);
  ck_assert_ptr_nonnull(c);
}
END_TEST

#if COUNTS
START_TEST(make_without_memory_is_ENOMEM) {
  for (size_t size = 0; size <= 4096; size += 1024) {
    failing = true;
    errno = 0;
    gch_chan *c = gch_make(size, 3);
    int err = errno;
    failing = false;
    ck_assert_ptr_null(c);
    ck_assert_int_eq(err, ENOMEM);
  }
}
END_TEST

/* With pointers of 32 bits the first few may be had. */
START_TEST(make_of_more_than_there_is_is_ENOMEM) {
  gch_chan *made[8];
  int n = 0, err;
  do {
    errno = 0;
    made[n] = gch_make(1, PTRDIFF_MAX / 2);
    err = errno;
  } while (made[n] && ++n < 8);
  ck_assert_int_lt(n, sizeof(void *) > 4 ? 1 : 8);
  ck_assert_int_eq(err, ENOMEM);
  while (n > 0)
    gch_unref(made[--n]);
}
END_TEST
#endif

/* The forms that make a context or a channel of their own are left out. */
static const int forms[] = {0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13};
enum { SOME_FORMS = sizeof forms / sizeof *forms, LARGE = 300 };

START_TEST(what_need_not_wait_does_not_allocate) {
  GCH_AUTO gch_chan *c = gch_make(LARGE, 1);
  char elem[LARGE] = {0};
  form send = sends[forms[_i]], recv = recvs[forms[_i]];
  int before = allocations;
  int sent = send(c, elem);
  int received = recv(c, elem);
  int sent_again = send(c, elem);
  int discarded = recv(c, NULL);
  gch_close(c);
  int refused = send(c, elem);
  int ended = recv(c, elem);
  int after = allocations;
  ck_assert_int_eq(after, before);
  ck_assert_int_eq(sent | received | sent_again | discarded, 0);
  ck_assert_int_eq(refused, EPIPE);
  ck_assert_int_eq(ended, EPIPE);
}
END_TEST

static void ignore(void *elem) {
  (void)elem;
}

START_TEST(a_drop_does_not_allocate) {
  GCH_AUTO gch_chan *c = gch_make(256, 1);
  char elem[256] = {0};
  int before = allocations;
  gch_set_drop(c, ignore);
  gch_set_name(c, "a name that is longer than a name may well be");
  for (int i = 0; i < SOME_FORMS; i++) {
    gch_send(c, elem);
    recvs[forms[i]](c, NULL);
  }
  int after = allocations;
  ck_assert_int_eq(after, before);
}
END_TEST

struct counted {
  struct party party;
  form fn;
  int allocations;
};

static int count(gch_chan *c, void *arg) {
  struct counted *k = arg;
  int before = allocations;
  char elem[LARGE] = {0};
  int err = k->fn(c, elem);
  k->allocations = allocations - before;
  return err;
}

static void expect_none(struct counted *k, int err) {
  ck_assert_int_eq(party_end(&k->party), err);
  ck_assert_int_eq(k->allocations, 0);
}

START_TEST(what_parks_does_not_allocate) {
  GCH_AUTO gch_chan *c = gch_make(LARGE, 0);
  struct counted s = {.fn = sends[forms[_i]]}, r = {.fn = recvs[forms[_i]]};
  char elem[LARGE] = {0};
  party_start(&s.party, count, c, &s);
  await_waiting(c, 1, 0);
  gch_recv(c, elem);
  expect_none(&s, 0);
  party_start(&r.party, count, c, &r);
  await_waiting(c, 0, 1);
  gch_send(c, elem);
  expect_none(&r, 0);
  party_start(&r.party, count, c, &r);
  await_waiting(c, 0, 1);
  int before_close = allocations;
  gch_close(c);
  ck_assert_int_eq(allocations, before_close);
  expect_none(&r, EPIPE);
}
END_TEST

static int select_many(gch_chan *c, void *elem) {
  enum { MANY = 3000 };
  static gch_case cases[MANY];
  for (int i = 0; i < MANY; i++)
    cases[i] = GCH_RECV(c, elem);
  return gch_select_cases(cases, MANY) >= 0 ? 0 : -1;
}

START_TEST(a_select_of_thousands_does_not_allocate) {
  GCH_AUTO gch_chan *c = gch_make(LARGE, 0);
  struct counted r = {.fn = select_many};
  char elem[LARGE] = {0};
  party_start(&r.party, count, c, &r);
  await_waiting(c, 0, 3000);
  ck_assert_int_eq(gch_try_send(c, elem), 0);
  expect_none(&r, 0);
}
END_TEST

START_TEST(a_context_form_does_not_allocate) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  int v = 1;
  int before = allocations;
  gch_send_ctx(ctx, c, &v);
  gch_recv_ctx(ctx, c, &v);
  gch_select(GCH_RECV(gch_ctx_done(ctx), NULL), GCH_TIMEOUT(1));
  gch_sleep_ctx(ctx, 1);
  int after = allocations;
  ck_assert_int_eq(after, before);
}
END_TEST

START_TEST(a_wait_for_a_deadline_does_not_allocate) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  int before = allocations;
  gch_recv_until(c, &v, gch_now() + GCH_MICROSECOND);
  gch_send_until(c, &v, gch_now() + GCH_MICROSECOND);
  gch_recv_until(NULL, &v, gch_now() + GCH_MICROSECOND);
  gch_select(GCH_RECV(c, &v), GCH_SEND(c, &v), GCH_TIMEOUT(GCH_MICROSECOND));
  int after = allocations;
  ck_assert_int_eq(after, before);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("no_alloc");
  TCase *t = test_case(s, "allocation");
  tcase_add_test(t, make_allocates_which_this_program_sees);
#if COUNTS
  tcase_add_test(t, make_without_memory_is_ENOMEM);
  tcase_add_test(t, make_of_more_than_there_is_is_ENOMEM);
#endif
  tcase_add_loop_test(t, what_need_not_wait_does_not_allocate, 0, SOME_FORMS);
  tcase_add_test(t, a_drop_does_not_allocate);
  tcase_add_loop_test(t, what_parks_does_not_allocate, 0, 6);
  tcase_add_test(t, a_select_of_thousands_does_not_allocate);
  tcase_add_test(t, a_context_form_does_not_allocate);
  tcase_add_test(t, a_wait_for_a_deadline_does_not_allocate);
  return s;
}
