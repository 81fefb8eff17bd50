/* SPDX-License-Identifier: BSD-3-Clause */
/* Uses every public macro, as C11 and (by every_macro.cc) as C++17. */
#include <gulch.h>
#include <stdio.h>
#include <string.h>

struct job {
  int id, weight;
};

GCH_CHAN_TYPE(jobs, struct job)

#define EXPECT(fact)                                                           \
  do {                                                                         \
    if (!(fact)) {                                                             \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #fact);               \
      failures++;                                                              \
    }                                                                          \
  } while (0)

static int failures;

static int same_op(gch_case a, gch_case b) {
  return a.chan == b.chan && a.elem == b.elem && a.err == b.err &&
         a.kind == b.kind;
}

static int same_time(gch_case a, gch_case b) {
  return a.time == b.time && a.kind == b.kind;
}

static void use_times(void) {
  EXPECT(GCH_MICROSECOND == 1000 * GCH_NANOSECOND);
  EXPECT(GCH_MILLISECOND == 1000000);
  EXPECT(GCH_SECOND == 1000000000);
  EXPECT(GCH_MINUTE == 60 * GCH_SECOND);
  EXPECT(GCH_HOUR == 60 * GCH_MINUTE);
  EXPECT(GCH_FOREVER == INT64_MAX);
}

static void use_cases(void) {
  int v = 0, err = 0;
  EXPECT(same_op(GCH_RECV(NULL, &v), gch_case_recv(NULL, &v, NULL)));
  EXPECT(same_op(GCH_RECV_ERR(NULL, &v, &err), gch_case_recv(NULL, &v, &err)));
  EXPECT(same_op(GCH_SEND(NULL, &v), gch_case_send(NULL, &v, NULL)));
  EXPECT(same_op(GCH_SEND_ERR(NULL, &v, &err), gch_case_send(NULL, &v, &err)));
  EXPECT(same_time(GCH_UNTIL(7), gch_case_until(7)));
  EXPECT(same_time(GCH_TIMEOUT(7), gch_case_timeout(7)));
  EXPECT(GCH_DEFAULT.kind == gch_case_default().kind);
  EXPECT(same_time(GCH_READABLE(7), gch_case_readable(7, NULL)));
  EXPECT(same_time(GCH_WRITABLE(7), gch_case_writable(7, NULL)));
  EXPECT(same_time(GCH_READABLE_ERR(7, &err), gch_case_readable(7, &err)));
  EXPECT(same_time(GCH_WRITABLE_ERR(7, &err), gch_case_writable(7, &err)));
}

static int one_more(int *n) {
  return ++*n;
}

/* The address of a temporary, wherever one is wanted. */
static void use_refs(gch_chan *c, int *err) {
  GCH_AUTO gch_chan *d = gch_make_of(int, 4);
  GCH_AUTO gch_chan *texts = gch_make_of(const char *, 1);
  struct job w = {0, 0};
  int v = 0, n = 0;
  const char *text = NULL;
  EXPECT(gch_select(GCH_SEND(c, GCH_REF(struct job, 5, 6))) == 0);
  EXPECT(gch_recv(c, &w) == 0 && w.id == 5 && w.weight == 6);
  EXPECT(gch_select(GCH_SEND_ERR(c, GCH_REF(struct job, 7, 8), err)) == 0);
  EXPECT(*err == 0 && gch_recv(c, &w) == 0 && w.id == 7 && w.weight == 8);
  EXPECT(gch_select(GCH_SEND(d, v == 0 ? GCH_REF(int, 1) : GCH_REF(int, 2))) ==
         0);
  EXPECT(gch_select(v != 0 ? GCH_DEFAULT : GCH_SEND(d, GCH_REF(int, 3))) == 0);
  gch_must(gch_send(d, GCH_REF(int, one_more(&n))));
  EXPECT(n == 1);
  EXPECT(gch_recv(d, &v) == 0 && v == 1 && gch_recv(d, &v) == 0 && v == 3);
  EXPECT(gch_recv(d, GCH_REF(int, 0)) == 0);
  EXPECT(gch_send(texts, GCH_REF(const char *, "text")) == 0);
  EXPECT(gch_recv(texts, &text) == 0 && strcmp(text, "text") == 0);
}

static void use_select(int and_sleep_for_ever) {
  GCH_AUTO gch_chan *c = gch_make_of(struct job, 1);
  struct job v = {1, 2}, w = {0, 0};
  int err = -1;
  EXPECT(gch_select(GCH_SEND(c, &v), GCH_TIMEOUT(GCH_HOUR)) == 0);
  EXPECT(gch_select(GCH_SEND(c, &v), GCH_DEFAULT) == 1);
  EXPECT(gch_select_ordered(GCH_RECV(c, &w), GCH_UNTIL(GCH_FOREVER)) == 0);
  EXPECT(w.id == 1 && w.weight == 2);
  EXPECT(gch_select_ordered(GCH_SEND_ERR(c, &v, &err)) == 0 && err == 0);
  EXPECT(gch_select(GCH_UNTIL(0), GCH_RECV_ERR(c, &w, &err)) == 1);
#ifndef __cplusplus
  EXPECT(gch_select(GCH_SEND(c, &(struct job){3, 4})) == 0);
  EXPECT(gch_recv(c, &w) == 0 && w.id == 3 && w.weight == 4);
#endif
  use_refs(c, &err);
  if (and_sleep_for_ever)
    gch_select();
  if (and_sleep_for_ever)
    gch_select_ordered();
}

static void use_senders(jobs all) {
  jobs_sender s = jobs_to_sender(all);
  struct job v = {5, 6};
  EXPECT(jobs_sender_send(s, v) == 0);
  EXPECT(jobs_sender_try_send(s, v) == EAGAIN);
  EXPECT(jobs_sender_send_until(s, v, 0) == ETIMEDOUT);
  EXPECT(gch_select(jobs_sender_on_send(s, &v), GCH_DEFAULT) == 1);
  EXPECT(jobs_sender_len(s) == 1 && jobs_sender_cap(s) == 1);
}

static void use_typed_extras(void) {
  jobs c = jobs_make(2);
  struct job v[2] = {{1, 2}, {3, 4}}, w[2] = {{0, 0}, {0, 0}};
  size_t n = 0;
  int err = -1;
  jobs_set_name(c, "jobs");
  EXPECT(jobs_set_drop(c, NULL) == EINVAL);
  EXPECT(jobs_send_many(c, v, 2, &n) == 0 && n == 2);
  EXPECT(jobs_recv_many(c, w, 2, &n) == 0 && n == 2 && w[1].weight == 4);
  EXPECT(jobs_sender_send_many(jobs_to_sender(c), v, 1, &n) == 0);
  EXPECT(jobs_receiver_recv_many(jobs_to_receiver(c), w, 2, &n) == 0 && n == 1);
  EXPECT(gch_select(jobs_on_send_err(c, GCH_REF(struct job, 5, 6), &err)) == 0);
  EXPECT(gch_select(jobs_on_recv_err(c, w, &err)) == 0 && err == 0);
  EXPECT(w[0].id == 5);
  jobs_unref(c);
}

static void use_receivers(jobs all) {
  const gch_ctx *ctx = gch_ctx_background();
  jobs_sender s = jobs_to_sender(all);
  jobs_receiver r = jobs_to_receiver(all);
  struct job v = {0, 0};
  EXPECT(jobs_receiver_len(r) == 1 && jobs_receiver_cap(r) == 1);
  EXPECT(jobs_receiver_recv(r, &v) == 0 && v.id == 5);
  EXPECT(jobs_receiver_try_recv(r, &v) == EAGAIN);
  EXPECT(jobs_receiver_recv_until(r, &v, 0) == ETIMEDOUT);
  EXPECT(gch_select(jobs_receiver_on_recv(r, &v), GCH_DEFAULT) == 1);
  EXPECT(jobs_sender_send_ctx(ctx, s, v) == 0);
  EXPECT(jobs_receiver_recv_ctx(ctx, r, &v) == 0);
}

static void use_typed(void) {
  const gch_ctx *ctx = gch_ctx_background();
  jobs c = jobs_make(1);
  struct job v = {7, 8}, w = {0, 0};
  EXPECT(jobs_send(c, v) == 0 && jobs_try_send(c, v) == EAGAIN);
  EXPECT(jobs_recv(c, &w) == 0 && jobs_try_recv(c, &w) == EAGAIN);
  EXPECT(jobs_send_until(c, v, 0) == 0);
  EXPECT(jobs_recv_until(c, &w, 0) == 0 && w.weight == 8);
  EXPECT(jobs_send_ctx(ctx, c, v) == 0 && jobs_recv_ctx(ctx, c, &w) == 0);
  EXPECT(gch_select(jobs_on_recv(c, &w), jobs_on_send(c, &v)) == 1);
  EXPECT(jobs_len(c) == 1 && jobs_cap(c) == 1);
  EXPECT(jobs_recv(c, &w) == 0);
  use_senders(c);
  use_receivers(c);
  jobs_unref(jobs_ref(c));
  EXPECT(jobs_close(c) == 0);
  EXPECT(jobs_sender_close(jobs_to_sender(c)) == EPIPE);
  jobs_unref(c);
}

static void use_contexts(void) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *child =
      gch_ctx_with_value(ctx, &failures, "value");
  EXPECT(strcmp((const char *)gch_ctx_value(child, &failures), "value") == 0);
  gch_must(gch_ctx_err(child));
}

static void use_wait_group(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  gch_wg_done(&wg);
  gch_must(gch_wg_wait_until(&wg, GCH_FOREVER));
}

static void add_one(void *n) {
  *(int *)n += 1;
}

static void use_locks(void) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  gch_cond c = GCH_COND_INIT;
  gch_once once = GCH_ONCE_INIT;
  int n = 0;
  gch_mutex_lock(&m);
  EXPECT(gch_cond_wait_until(&c, &m, 0) == ETIMEDOUT);
  gch_mutex_unlock(&m);
  gch_rwmutex_rlock(&rw);
  EXPECT(gch_rwmutex_try_lock(&rw) == EAGAIN);
  gch_rwmutex_runlock(&rw);
  EXPECT(gch_once_do(&once, add_one, &n) == 0 && n == 1);
}

GCH_MAIN(argc, argv) {
  use_times();
  use_cases();
  use_select(argc > 1);
  use_typed();
  use_typed_extras();
  use_contexts();
  use_wait_group();
  use_locks();
  return failures != 0;
}
