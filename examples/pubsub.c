/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Publish and subscribe. The publisher never waits: what does not fit into a
 * subscriber's buffer is dropped, and counted.
 *
 *     func (b *Broker) Publish(event int) {
 *         for _, s := range b.subscribers {
 *             select {
 *             case s.events <- event:
 *             default:
 *                 s.dropped++
 *             }
 *         }
 *     }
 *
 *     func (s *Subscriber) Run() {
 *         for event := range s.events {
 *             s.seen = append(s.seen, event)
 *         }
 *     }
 */
#include "example.h"

enum { EVENTS = 6, SUBSCRIBERS = 2 };

struct subscriber {
  const char *name;
  size_t buffer;
  gch_chan *events; /* of int */
  gch_chan *start;  /* closed: begin to read */
  int seen[EVENTS];
  int n_seen;
  int dropped;
};

static void run(void *arg) {
  struct subscriber *s = arg;
  int event;
  gch_recv(s->start, NULL);
  while (gch_recv(s->events, &event) == 0)
    s->seen[s->n_seen++] = event;
}

static void publish(struct subscriber *subs, int event) {
  for (int i = 0; i < SUBSCRIBERS; i++)
    if (gch_try_send(subs[i].events, &event) == EAGAIN)
      subs[i].dropped++;
}

static int subscribe(struct subscriber *s, gch_chan *start, gch_wg *wg) {
  s->start = start;
  s->events = gch_make_of(int, s->buffer);
  return s->events ? gch_wg_go(wg, run, s) : ENOMEM;
}

static void report(const struct subscriber *s) {
  printf("%s saw", s->name);
  for (int i = 0; i < s->n_seen; i++)
    printf(" %d", s->seen[i]);
  printf(", missed %d\n", s->dropped);
}

GCH_MAIN(argc, argv) {
  /* The subscribers are away while the events are published. */
  GCH_AUTO gch_chan *start = gch_make(0, 0);
  if (!start)
    return fail("gch_make", errno);
  struct subscriber subs[SUBSCRIBERS] = {{.name = "patient", .buffer = EVENTS},
                                         {.name = "forgetful", .buffer = 2}};

  gch_wg wg = GCH_WG_INIT;
  int err = 0;
  for (int i = 0; i < SUBSCRIBERS && !err; i++)
    err = subscribe(&subs[i], start, &wg);
  for (int event = 1; event <= EVENTS && !err; event++)
    publish(subs, event);

  gch_close(start);
  for (int i = 0; i < SUBSCRIBERS; i++)
    gch_close(subs[i].events);
  gch_wg_wait(&wg);
  for (int i = 0; i < SUBSCRIBERS; i++) {
    if (!err)
      report(&subs[i]);
    gch_unref(subs[i].events);
  }
  return err ? fail("cannot subscribe", err) : 0;
}
