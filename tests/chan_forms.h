/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every way to send and every way to receive, so that a fact can be tested of
 * all of them; and a party: a thread that does one of them.
 */
#ifndef GULCH_TESTS_CHAN_FORMS_H
#define GULCH_TESTS_CHAN_FORMS_H

#include "harness.h"

#include <string.h>

typedef int (*form)(gch_chan *c, void *elem);

/* Check's own assertions take a lock and allocate, each time. */
#define form_require(x) ((x) ? (void)0 : (void)ck_abort_msg("%s", #x))

/* Forms that block until they are done */

static inline int send_plain(gch_chan *c, void *elem) {
  return gch_send(c, elem);
}

static inline int recv_plain(gch_chan *c, void *elem) {
  return gch_recv(c, elem);
}

static inline int send_until_late(gch_chan *c, void *elem) {
  return gch_send_until(c, elem, gch_now() + GCH_HOUR);
}

static inline int recv_until_late(gch_chan *c, void *elem) {
  return gch_recv_until(c, elem, gch_now() + GCH_HOUR);
}

static inline int send_until_forever(gch_chan *c, void *elem) {
  return gch_send_until(c, elem, GCH_FOREVER);
}

static inline int recv_until_forever(gch_chan *c, void *elem) {
  return gch_recv_until(c, elem, GCH_FOREVER);
}

static inline int send_in_background(gch_chan *c, void *elem) {
  return gch_send_ctx(gch_ctx_background(), c, elem);
}

static inline int recv_in_background(gch_chan *c, void *elem) {
  return gch_recv_ctx(gch_ctx_background(), c, elem);
}

static inline int send_in_ctx(gch_chan *c, void *elem) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  int err = gch_send_ctx(ctx, c, elem);
  gch_ctx_end(ctx);
  return err;
}

static inline int recv_in_ctx(gch_chan *c, void *elem) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  int err = gch_recv_ctx(ctx, c, elem);
  gch_ctx_end(ctx);
  return err;
}

static inline int send_by_select(gch_chan *c, void *elem) {
  int err = -1;
  form_require(gch_select(GCH_SEND_ERR(c, elem, &err)) == 0);
  return err;
}

static inline int recv_by_select(gch_chan *c, void *elem) {
  int err = -1;
  form_require(gch_select(GCH_RECV_ERR(c, elem, &err)) == 0);
  return err;
}

/* Beside a case that loses; its channel is freed at once. */
static inline int send_by_wide_select(gch_chan *c, void *elem) {
  GCH_AUTO gch_chan *never = gch_make(1, 0);
  int err = -1, other = -1;
  form_require(gch_select(GCH_RECV(never, NULL), GCH_RECV(NULL, NULL),
                          GCH_SEND_ERR(c, elem, &err), GCH_TIMEOUT(GCH_HOUR),
                          GCH_RECV_ERR(never, NULL, &other)) == 2);
  form_require(other == -1);
  return err;
}

static inline int recv_by_wide_select(gch_chan *c, void *elem) {
  GCH_AUTO gch_chan *never = gch_make(1, 0);
  int err = -1, other = -1;
  form_require(gch_select(GCH_RECV(never, NULL), GCH_RECV(NULL, NULL),
                          GCH_RECV_ERR(c, elem, &err), GCH_TIMEOUT(GCH_HOUR),
                          GCH_SEND_ERR(never, "", &other)) == 2);
  form_require(other == -1);
  return err;
}

static inline int send_by_ordered_select(gch_chan *c, void *elem) {
  int err = -1;
  form_require(gch_select_ordered(GCH_UNTIL(GCH_FOREVER),
                                  GCH_SEND_ERR(c, elem, &err)) == 1);
  return err;
}

static inline int recv_by_ordered_select(gch_chan *c, void *elem) {
  int err = -1;
  form_require(gch_select_ordered(GCH_UNTIL(GCH_FOREVER),
                                  GCH_RECV_ERR(c, elem, &err)) == 1);
  return err;
}

/* Forms that try once; EAGAIN where they would block */

static inline int eagain_for(int err, int expected) {
  form_require(err != EAGAIN);
  return err == expected ? EAGAIN : err;
}

static inline int send_try(gch_chan *c, void *elem) {
  return gch_try_send(c, elem);
}

static inline int recv_try(gch_chan *c, void *elem) {
  return gch_try_recv(c, elem);
}

static inline int send_until_past(gch_chan *c, void *elem) {
  return eagain_for(gch_send_until(c, elem, gch_now()), ETIMEDOUT);
}

static inline int recv_until_past(gch_chan *c, void *elem) {
  return eagain_for(gch_recv_until(c, elem, gch_now()), ETIMEDOUT);
}

static inline int send_until_long_past(gch_chan *c, void *elem) {
  return eagain_for(gch_send_until(c, elem, INT64_MIN), ETIMEDOUT);
}

static inline int recv_until_long_past(gch_chan *c, void *elem) {
  return eagain_for(gch_recv_until(c, elem, INT64_MIN), ETIMEDOUT);
}

static inline int send_or_default(gch_chan *c, void *elem) {
  int err = -1;
  return gch_select(GCH_SEND_ERR(c, elem, &err), GCH_DEFAULT) ? EAGAIN : err;
}

static inline int recv_or_default(gch_chan *c, void *elem) {
  int err = -1;
  return gch_select(GCH_RECV_ERR(c, elem, &err), GCH_DEFAULT) ? EAGAIN : err;
}

static inline int send_first_or_default(gch_chan *c, void *elem) {
  int err = -1;
  return gch_select_ordered(GCH_DEFAULT, GCH_SEND_ERR(c, elem, &err)) ? err
                                                                      : EAGAIN;
}

static inline int recv_first_or_default(gch_chan *c, void *elem) {
  int err = -1;
  return gch_select_ordered(GCH_DEFAULT, GCH_RECV_ERR(c, elem, &err)) ? err
                                                                      : EAGAIN;
}

static inline int send_or_past(gch_chan *c, void *elem) {
  int err = -1;
  return gch_select(GCH_UNTIL(0), GCH_SEND_ERR(c, elem, &err)) ? err : EAGAIN;
}

static inline int recv_or_past(gch_chan *c, void *elem) {
  int err = -1;
  return gch_select(GCH_UNTIL(0), GCH_RECV_ERR(c, elem, &err)) ? err : EAGAIN;
}

/* All forms: those that block, then those that try; a send and the receive of
   its kind have the same place. */

enum { BLOCKING_FORMS = 8, FORMS = 14 };

GCH_UNUSED static const form sends[FORMS] = {
    send_plain,
    send_until_late,
    send_until_forever,
    send_in_background,
    send_in_ctx,
    send_by_select,
    send_by_wide_select,
    send_by_ordered_select,
    send_try,
    send_until_past,
    send_until_long_past,
    send_or_default,
    send_first_or_default,
    send_or_past,
};

GCH_UNUSED static const form recvs[FORMS] = {
    recv_plain,
    recv_until_late,
    recv_until_forever,
    recv_in_background,
    recv_in_ctx,
    recv_by_select,
    recv_by_wide_select,
    recv_by_ordered_select,
    recv_try,
    recv_until_past,
    recv_until_long_past,
    recv_or_default,
    recv_first_or_default,
    recv_or_past,
};

/* A test of every form: form number _i of sends or recvs. */
#define add_test_of_all(tcase, test) tcase_add_loop_test(tcase, test, 0, FORMS)
#define add_test_of_blocking(tcase, test)                                      \
  tcase_add_loop_test(tcase, test, 0, BLOCKING_FORMS)
#define add_test_of_trying(tcase, test)                                        \
  tcase_add_loop_test(tcase, test, BLOCKING_FORMS, FORMS)

/* A thread that does one operation. */
struct party {
  form fn;
  gch_chan *c;
  void *elem;
  int value; /* elem points here unless the test says otherwise */
  int err;
  test_thread *thread;
};

static inline void party_main(void *arg) {
  struct party *p = arg;
  p->err = p->fn(p->c, p->elem);
}

static inline void party_start(struct party *p, form fn, gch_chan *c,
                               void *elem) {
  p->fn = fn;
  p->c = c;
  p->elem = elem;
  p->err = -1;
  p->thread = thread_start(party_main, p);
}

/* With an int of its own. */
static inline void party_start_int(struct party *p, form fn, gch_chan *c,
                                   int value) {
  p->value = value;
  party_start(p, fn, c, &p->value);
}

/* What the operation returned. */
static inline int party_end(struct party *p) {
  thread_join(p->thread);
  return p->err;
}

/* What a receive of an int gives at once; the test fails if it gives none. */
static inline int take_int(gch_chan *c) {
  int v = -1;
  ck_assert_int_eq(gch_try_recv(c, &v), 0);
  return v;
}

static inline void put_int(gch_chan *c, int v) {
  ck_assert_int_eq(gch_try_send(c, &v), 0);
}

#endif
