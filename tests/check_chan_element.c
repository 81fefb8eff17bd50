/* SPDX-License-Identifier: BSD-3-Clause */
/* The element of a receive that waits: it is its owner's until the receive is
   done. */
#include "chan_forms.h"

/* A receiver in a thread, or in a task that parks for the first or second
   time. */
struct owner {
  struct party party;
  gch_chan *first; /* or NULL */
  gch_wg done;
};

static void receive_as_owner(void *arg) {
  struct owner *o = arg;
  if (o->first)
    ck_assert_int_eq(gch_recv(o->first, NULL), 0);
  party_main(&o->party);
}

enum { IN_THREAD, IN_TASK, IN_TASK_AGAIN, OWNERS };

static void owner_start(struct owner *o, int kind, form fn, gch_chan *c,
                        int *elem) {
  *o = (struct owner){.party = {.fn = fn, .c = c, .elem = elem, .err = -1}};
  if (kind == IN_THREAD) {
    party_start(&o->party, fn, c, elem);
    return;
  }
  o->first = kind == IN_TASK_AGAIN ? gch_make(0, 0) : NULL;
  ck_assert_int_eq(gch_wg_go(&o->done, receive_as_owner, o), 0);
  if (o->first) {
    await_waiting(o->first, 0, 1);
    ck_assert_int_eq(gch_send(o->first, NULL), 0);
  }
}

static int owner_end(struct owner *o, int kind) {
  if (kind == IN_THREAD)
    return party_end(&o->party);
  gch_wg_wait(&o->done);
  gch_unref(o->first);
  return o->party.err;
}

START_TEST(an_element_is_left_alone_until_it_is_received) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int kind = 0; kind < OWNERS; kind++) {
    struct owner o;
    int x = 41, v = 7;
    owner_start(&o, kind, recvs[_i], c, &x);
    await_waiting(c, 0, 1);
    ck_assert_int_eq(x, 41);
    ck_assert_int_eq(gch_send(c, &v), 0);
    ck_assert_int_eq(owner_end(&o, kind), 0);
    ck_assert_int_eq(x, 7);
  }
}
END_TEST

START_TEST(an_element_may_be_sent_to_itself) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int kind = 0; kind < OWNERS; kind++) {
    struct owner o;
    int x = 42;
    owner_start(&o, kind, recvs[_i], c, &x);
    await_waiting(c, 0, 1);
    ck_assert_int_eq(gch_send(c, &x), 0);
    ck_assert_int_eq(owner_end(&o, kind), 0);
    ck_assert_int_eq(x, 42);
  }
}
END_TEST

START_TEST(an_element_is_zeroed_after_the_close) {
  for (int kind = 0; kind < OWNERS; kind++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, 0);
    struct owner o;
    int x = 41;
    owner_start(&o, kind, recvs[_i], c, &x);
    await_waiting(c, 0, 1);
    x = 42;
    ck_assert_int_eq(gch_close(c), 0);
    ck_assert_int_eq(owner_end(&o, kind), EPIPE);
    ck_assert_int_eq(x, 0);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_element");
  TCase *t = test_case(s, "element");
  add_test_of_blocking(t, an_element_is_left_alone_until_it_is_received);
  add_test_of_blocking(t, an_element_may_be_sent_to_itself);
  add_test_of_blocking(t, an_element_is_zeroed_after_the_close);
  return s;
}
