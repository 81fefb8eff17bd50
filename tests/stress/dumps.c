/* SPDX-License-Identifier: BSD-3-Clause */
/* Dumps against channels that are made, named, parked on, closed and freed. */
#include "stress.h"

#include <stdio.h>
#include <string.h>

enum {
  TESTS = 1,
  MEMBERS = 6,
  DUMPERS = 2,
  SHARED = 4,
  POOL = 64,
  MOMENT = 50000
};

struct scene {
  int64_t end;
  gch_chan *shared[SHARED];
  gch_chan *pools[MEMBERS][POOL]; /* so many that a dump takes many batches */
};

/* A channel of the thread's own, through all its life: some of it in a pool. */
static void live_and_die(gch_chan **pool, uint32_t *random) {
  gch_chan *c = gch_make_of(int, pick(random, 3));
  if (pick(random, 2))
    gch_set_name(c, "short lived");
  gch_try_send(c, &(int){1});
  gch_recv_until(c, NULL, soon(random, 2000));
  dawdle(random, 200);
  if (pick(random, 2))
    gch_close(c);
  gch_chan **place = &pool[pick(random, POOL)];
  gch_unref(*place);
  *place = c;
}

static void be_a_context(uint32_t *random) {
  gch_ctx *ctx =
      gch_ctx_with_timeout(gch_ctx_background(), pick(random, MOMENT));
  gch_chan *after = gch_after(pick(random, MOMENT));
  gch_select(GCH_RECV(gch_ctx_done(ctx), NULL), GCH_RECV(after, NULL));
  gch_unref(after);
  gch_ctx_end(ctx);
}

static void select_somewhere(const struct scene *s, uint32_t *random) {
  int v = 0, err;
  gch_select(GCH_RECV(s->shared[pick(random, SHARED)], &v),
             GCH_SEND_ERR(s->shared[pick(random, SHARED)], &v, &err),
             GCH_TIMEOUT(pick(random, MOMENT)));
}

static void wait_somewhere(const struct scene *s, uint32_t *random) {
  gch_chan *c = s->shared[pick(random, SHARED)];
  int v = 0;
  if (pick(random, 2))
    gch_recv_until(c, &v, soon(random, MOMENT));
  else
    gch_send_until(c, &v, soon(random, MOMENT));
}

/* Each line must be whole and of a kind that there is. */
static void check_lines(char *text) {
  for (char *end, *line = text; *line; line = end + 1) {
    end = strchr(line, '\n');
    require(end != NULL);
    *end = '\0';
    if (strncmp(line, "task ", 5) == 0) {
      require(strstr(line, ": ") && strchr(line, ','));
      continue;
    }
    require(strncmp(line, "channel 0x", 10) == 0 ||
            strncmp(line, "  send", 6) == 0 ||
            strncmp(line, "  receive", 9) == 0);
    require(line[0] == 'c'
                ? strstr(line, " bytes, ") != NULL
                : strstr(line, ": thread ") || strstr(line, ": task "));
  }
}

static void dump_and_check(void) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  gch_dump(out);
  fclose(out);
  check_lines(text);
  free(text);
}

static void act(void *shared, int id) {
  struct scene *s = shared;
  uint32_t random = stress_seed(id);
  while (gch_now() < s->end) {
    if (id < DUMPERS)
      dump_and_check();
    else if (pick(&random, 4) == 0)
      be_a_context(&random);
    else if (pick(&random, 3) == 0)
      live_and_die(s->pools[id], &random);
    else if (pick(&random, 2) == 0)
      select_somewhere(s, &random);
    else
      wait_somewhere(s, &random);
  }
  for (int i = 0; i < POOL; i++)
    gch_unref(s->pools[id][i]);
}

START_TEST(dumps_race_everything) {
  struct scene s = {.end = stress_end(TESTS)};
  struct crew crew;
  for (int i = 0; i < SHARED; i++)
    s.shared[i] = gch_make_of(int, (size_t)i % 2);
  crew_start(&crew, MEMBERS, act, &s);
  crew_join(&crew);
  for (int i = 0; i < SHARED; i++)
    gch_unref(s.shared[i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/dumps");
  TCase *t = test_case(s, "dumps");
  tcase_add_test(t, dumps_race_everything);
  return s;
}
