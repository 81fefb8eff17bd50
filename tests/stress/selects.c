/* SPDX-License-Identifier: BSD-3-Clause */
/* Selects against selects, and deadlines against claims. */
#include "stress.h"

enum { TESTS = 4, MOMENT = 20000 };

/* Random selects: each thread selects among random cases, to send and to
   receive, on the same channels, mostly with a deadline. */
enum { CHANS = 4, ARMS = 5, SELECTORS = 9 };

static const size_t caps[CHANS] = {0, 0, 1, 3};

struct value {
  int from;
  uint32_t number;
};

struct field {
  gch_chan *chans[CHANS], *stop;
  struct flow {
    uint64_t sent[CHANS], got[CHANS];
    uint64_t sent_sum[CHANS], got_sum[CHANS];
  } flows[SELECTORS];
};

struct chosen {
  gch_case cases[ARMS + 2];
  struct value values[ARMS];
  uint32_t chans[ARMS];
  bool sends[ARMS];
};

static void choose_arms(struct field *f, struct chosen *ch, struct value v,
                        uint32_t *random) {
  for (uint32_t i = 0; i < ARMS; i++) {
    uint32_t chan = ch->chans[i] = pick(random, CHANS);
    ch->sends[i] = pick(random, 2) == 0;
    ch->values[i] = ch->sends[i] ? v : (struct value){-1, 0};
    ch->cases[i] = ch->sends[i] ? GCH_SEND(f->chans[chan], &ch->values[i])
                                : GCH_RECV(f->chans[chan], &ch->values[i]);
  }
  ch->cases[ARMS] = GCH_RECV(f->stop, NULL);
  ch->cases[ARMS + 1] =
      GCH_TIMEOUT(pick(random, 4) == 0 ? GCH_HOUR : pick(random, MOMENT));
}

/* Whether to go on. */
static bool select_once(struct field *f, struct flow *flow, struct value v,
                        uint32_t *random) {
  struct chosen ch;
  choose_arms(f, &ch, v, random);
  size_t n = ARMS + 2;
  uint32_t i =
      (uint32_t)(pick(random, 4) == 0 ? gch_select_cases_ordered(ch.cases, n)
                                      : gch_select_cases(ch.cases, n));
  scribble();
  if (i >= ARMS)
    return i != ARMS;
  uint32_t chan = ch.chans[i];
  if (ch.sends[i]) {
    flow->sent[chan]++;
    flow->sent_sum[chan] += v.number;
  } else {
    require(ch.values[i].from != v.from || caps[chan] > 0);
    flow->got[chan]++;
    flow->got_sum[chan] += ch.values[i].number;
  }
  for (uint32_t k = 0; k < ARMS; k++) /* only the one that fired was written */
    require(k == i || ch.sends[k] || ch.values[k].from == -1);
  return true;
}

static void select_at_random(void *shared, int id) {
  struct field *f = shared;
  uint32_t random = stress_seed(id);
  struct value v = {id, 0};
  while (select_once(f, &f->flows[id], v, &random))
    v.number++;
}

static void check_field(const struct field *f, int chan) {
  uint64_t sent = 0, got = 0, sent_sum = 0, got_sum = 0;
  struct value v;
  for (int i = 0; i < SELECTORS; i++) {
    sent += f->flows[i].sent[chan];
    got += f->flows[i].got[chan];
    sent_sum += f->flows[i].sent_sum[chan];
    got_sum += f->flows[i].got_sum[chan];
  }
  for (; gch_try_recv(f->chans[chan], &v) == 0; got++)
    got_sum += v.number;
  ck_assert_uint_eq(sent, got);
  ck_assert_uint_eq(sent_sum, got_sum);
}

START_TEST(random_selects_lose_and_double_nothing) {
  struct field f = {.stop = gch_make(0, 0)};
  struct crew crew;
  for (int i = 0; i < CHANS; i++)
    f.chans[i] = gch_make_of(struct value, caps[i]);
  crew_start(&crew, SELECTORS, select_at_random, &f);
  require(gch_recv_until(f.stop, NULL, stress_end(TESTS)) == ETIMEDOUT);
  gch_close(f.stop);
  crew_join(&crew);
  for (int i = 0; i < CHANS; i++) {
    check_field(&f, i);
    gch_unref(f.chans[i]);
  }
  gch_unref(f.stop);
}
END_TEST

/* Two channels, in one order here and in the other there. Nobody has a way
   out: a wake that is lost is a hang. */
enum { PAIRS = 3, EACH = 100 };

static struct {
  gch_chan *a, *b;
  _Atomic uint64_t sent, got;
} both;

static void make_both(void *shared) {
  (void)shared;
  both.a = gch_make_of(uint64_t, 0);
  both.b = gch_make_of(uint64_t, 0);
}

static void select_in_some_order(void *shared, int id) {
  gch_chan *first = id & 2 ? both.a : both.b;
  gch_chan *second = id & 2 ? both.b : both.a;
  uint64_t value, sum = 0;
  (void)shared;
  for (uint64_t i = 0; i < EACH; i++) {
    value = i * (unsigned)(id + 1);
    if (id & 1)
      gch_select(GCH_SEND(first, &value), GCH_SEND(second, &value));
    else
      gch_select(GCH_RECV(first, &value), GCH_RECV(second, &value));
    scribble();
    sum += value;
  }
  atomic_fetch_add(id & 1 ? &both.sent : &both.got, sum);
}

static void check_both(void *shared) {
  (void)shared;
  ck_assert_uint_eq(atomic_load(&both.sent), atomic_load(&both.got));
  gch_unref(both.a);
  gch_unref(both.b);
}

START_TEST(selects_in_opposite_orders_meet) {
  struct rounds r = {.prepare = make_both,
                     .act = select_in_some_order,
                     .check = check_both,
                     .end = stress_end(TESTS)};
  rounds_run(&r, 4 * PAIRS);
}
END_TEST

/* Two threads that each could serve the other, and themselves. */
static void select_both_ways(void *shared, int id) {
  (void)shared;
  for (int i = 0; i < EACH; i++) {
    uint64_t mine = (uint64_t)id, other = 9;
    int fired;
    if (i % 2 == 0)
      fired = gch_select(GCH_SEND(both.a, &mine), GCH_RECV(both.a, &other));
    else
      fired =
          gch_select_ordered(GCH_RECV(both.a, &other), GCH_SEND(both.a, &mine),
                             GCH_RECV(both.b, &other));
    bool sent = fired == i % 2;
    require(other == (sent ? 9 : (uint64_t)!id));
  }
}

START_TEST(a_select_pairs_with_the_other_and_never_with_itself) {
  struct rounds r = {.prepare = make_both,
                     .act = select_both_ways,
                     .check = check_both,
                     .end = stress_end(TESTS)};
  rounds_run(&r, 2);
}
END_TEST

/* Deadlines about as long as it takes to meet. What a sender was told was sent
   is just what receivers were told they got, in order. */
enum { LINES = 4 };

struct line {
  gch_chan *chan;
  int64_t end;
  uint64_t sent;
};

static int send_before(gch_chan *c, uint64_t value, uint32_t *random) {
  int64_t deadline = soon(random, MOMENT);
  int err = 0;
  if (pick(random, 2) == 0)
    return gch_send_until(c, &value, deadline);
  return gch_select(GCH_UNTIL(deadline), GCH_SEND_ERR(c, &value, &err)) == 1
             ? err
             : ETIMEDOUT;
}

static int recv_before(gch_chan *c, uint64_t *value, uint32_t *random) {
  int64_t deadline = soon(random, MOMENT);
  int err = 0;
  if (pick(random, 2) == 0)
    return gch_recv_until(c, value, deadline);
  return gch_select(GCH_UNTIL(deadline), GCH_RECV_ERR(c, value, &err)) == 1
             ? err
             : ETIMEDOUT;
}

static void send_line(struct line *l, uint32_t *random) {
  while (gch_now() < l->end) {
    int err = send_before(l->chan, l->sent + 1, random);
    require(err == 0 || err == ETIMEDOUT);
    l->sent += err == 0;
  }
  gch_close(l->chan);
}

static void receive_line(struct line *l, uint32_t *random) {
  uint64_t got = 0, value = 0;
  int err;
  while ((err = recv_before(l->chan, &value, random)) != EPIPE) {
    got += err == 0;
    require((err == 0 || err == ETIMEDOUT) && value == got);
  }
  require(got == l->sent && value == 0);
}

static void line_main(void *shared, int id) {
  struct line *l = (struct line *)shared + id / 2;
  uint32_t random = stress_seed(id);
  if (id % 2 == 0)
    send_line(l, &random);
  else
    receive_line(l, &random);
}

START_TEST(a_value_is_received_or_stays_with_its_sender) {
  struct line lines[LINES];
  struct crew crew;
  for (int i = 0; i < LINES; i++)
    lines[i] = (struct line){.chan = gch_make_of(uint64_t, (size_t)i % 2),
                             .end = stress_end(TESTS)};
  crew_start(&crew, 2 * LINES, line_main, lines);
  crew_join(&crew);
  for (int i = 0; i < LINES; i++)
    gch_unref(lines[i].chan);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/selects");
  TCase *t = test_case(s, "selects");
  tcase_add_test(t, random_selects_lose_and_double_nothing);
  tcase_add_test(t, selects_in_opposite_orders_meet);
  tcase_add_test(t, a_select_pairs_with_the_other_and_never_with_itself);
  tcase_add_test(t, a_value_is_received_or_stays_with_its_sender);
  return s;
}
