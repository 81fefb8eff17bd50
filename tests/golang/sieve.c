/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/chan: sieve1.go, a chain of filters, and sieve2.go, which merges
   the multiples of primes and feeds them back through an unbounded queue.
   The first 25 primes. Closing ends them. */
#include "chan_checks.h"

#include <stdlib.h>

static const int primes[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37, 41,
                             43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97};
enum { PRIMES = sizeof primes / sizeof *primes };

static void expect_primes(gch_chan *c) {
  for (int i = 0; i < PRIMES; i++)
    require(take(c) == primes[i]);
}

static bool send(gch_chan *c, int v) {
  return gch_send(c, &v) == 0;
}

static bool receive(gch_chan *c, int *v) {
  return gch_recv(c, v) == 0;
}

/* sieve1 */

static void generate(void *ch) {
  for (int i = 2; send(ch, i); i++)
    ;
}

struct filter {
  gch_chan *in, *out;
  int prime;
};

static void filter(void *arg) {
  struct filter *f = arg;
  for (int i; receive(f->in, &i);)
    if (i % f->prime != 0 && !send(f->out, i))
      return;
}

struct sieve1 {
  gch_chan *primes;
  gch_wg wg;
  struct chans chans;
  struct filter filters[PRIMES + 1];
};

/* Ends when nobody wants more primes. */
static void sieve1(void *arg) {
  struct sieve1 *s = arg;
  gch_chan *ch = keep(&s->chans, ints(0));
  go(&s->wg, generate, ch);
  for (struct filter *f = s->filters; receive(ch, &f->prime); f++) {
    if (!send(s->primes, f->prime))
      break;
    f->in = ch;
    f->out = keep(&s->chans, ints(0));
    go(&s->wg, filter, f);
    ch = f->out;
  }
  for (size_t i = 0; i < s->chans.n; i++)
    gch_close(s->chans.all[i]);
}

START_TEST(sieve1_first_25_primes) {
  static struct sieve1 s;
  s = (struct sieve1){.primes = ints(0), .wg = GCH_WG_INIT};
  go(&s.wg, sieve1, &s);
  expect_primes(s.primes);
  gch_close(s.primes);
  gch_wg_wait(&s.wg);
  free_chans(&s.chans);
  gch_unref(s.primes);
}
END_TEST

/* sieve2 */

/* Numbers from first on in equal steps. */
struct steps {
  gch_chan *out;
  int first, step;
};

static void count_up(void *arg) {
  struct steps *s = arg;
  for (int n = s->first; send(s->out, n); n += s->step)
    ;
}

/* A queue in front of out, as long as it has to be. */
struct proxy {
  gch_chan *in, *out;
};

static int *grown(int *queue, size_t size) {
  queue = realloc(queue, size * sizeof *queue);
  require(queue != NULL);
  return queue;
}

/* While the queue is empty the send arm is nil. */
static void proxy(void *arg) {
  struct proxy *p = arg;
  size_t first = 0, last = 0, size = 16;
  int *queue = grown(NULL, size), v = 0, err = 0;
  while (err == 0) {
    bool empty = first == last;
    if (gch_select(GCH_RECV_ERR(p->in, &v, &err),
                   GCH_SEND_ERR(empty ? NULL : p->out,
                                empty ? NULL : &queue[first], &err)) == 1) {
      first++;
      continue;
    }
    if (last == size)
      queue = grown(queue, size *= 2);
    queue[last++] = v;
  }
  free(queue);
}

enum { MOST_STREAMS = 64 };

/* A stream of multiples and its next. */
struct peek {
  struct steps steps;
  int head;
};

struct sieve2 {
  gch_wg wg;
  gch_chan *out, *composites, *primes, *candidates;
  struct proxy feedback;
  struct steps odds;
  struct peek streams[MOST_STREAMS];
  int n, started;
};

static void start_stream(struct sieve2 *s, int p) {
  require(s->started < MOST_STREAMS);
  struct steps *m = &s->streams[s->started++].steps;
  *m = (struct steps){ints(10), p * p, 2 * p};
  go(&s->wg, count_up, m);
}

/* The least head, which its stream then replaces. */
static int next_multiple(struct sieve2 *s) {
  struct peek *least = &s->streams[0];
  for (int i = 1; i < s->n; i++)
    if (s->streams[i].head < least->head)
      least = &s->streams[i];
  int head = least->head;
  least->head = take(least->steps.out);
  return head;
}

static void merge(void *arg) {
  struct sieve2 *s = arg;
  bool open = true;
  int least = 15, p;
  while (open && receive(s->primes, &p)) {
    start_stream(s, p);
    struct peek *stream = &s->streams[s->n];
    int head = take(stream->steps.out);
    for (; open && least < head; least = next_multiple(s))
      open = send(s->composites, least);
    while (least == head)
      least = next_multiple(s);
    open = open && send(s->composites, head);
    stream->head = take(stream->steps.out);
    s->n++;
  }
  for (int i = 0; i < s->started; i++)
    gch_close(s->streams[i].steps.out);
}

static void sift(void *arg) {
  struct sieve2 *s = arg;
  int p = take(s->candidates), c;
  while (receive(s->composites, &c)) {
    while (p < c)
      if (!send(s->feedback.in, p) || !send(s->out, p) ||
          !receive(s->candidates, &p))
        return;
    if (p == c && !receive(s->candidates, &p))
      return;
  }
}

static void sieve2_start(struct sieve2 *s) {
  put(s->out, 2);
  put(s->out, 3);
  put(s->primes, 3);
  s->odds = (struct steps){s->candidates, 5, 2};
  s->feedback = (struct proxy){ints(10), s->primes};
  go(&s->wg, count_up, &s->odds);
  go(&s->wg, proxy, &s->feedback);
  go(&s->wg, merge, s);
  go(&s->wg, sift, s);
}

static void sieve2_stop(struct sieve2 *s) {
  gch_chan *all[] = {s->out, s->composites, s->primes, s->candidates,
                     s->feedback.in};
  for (int i = 0; i < 5; i++)
    gch_close(all[i]);
  gch_wg_wait(&s->wg);
  for (int i = 0; i < 5; i++)
    gch_unref(all[i]);
  for (int i = 0; i < s->started; i++)
    gch_unref(s->streams[i].steps.out);
}

START_TEST(sieve2_first_25_primes) {
  static struct sieve2 s;
  s = (struct sieve2){.wg = GCH_WG_INIT,
                      .out = ints(10),
                      .composites = ints(50),
                      .primes = ints(10),
                      .candidates = ints(50)};
  sieve2_start(&s);
  expect_primes(s.out);
  sieve2_stop(&s);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/sieve");
  TCase *t = test_case(s, "sieve");
  tcase_add_test(t, sieve1_first_25_primes);
  tcase_add_test(t, sieve2_first_25_primes);
  return s;
}
