/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two players and a ball that counts its hits.
 *
 *     func play(name string, in <-chan int, out chan<- int) {
 *         for hits := range in {
 *             if hits == 10 {
 *                 break
 *             }
 *             hits++
 *             fmt.Println(name, hits)
 *             out <- hits
 *         }
 *         close(out)
 *     }
 *
 *     func main() {
 *         a, b := make(chan int), make(chan int)
 *         go play("ping", a, b)
 *         go play("pong", b, a)
 *         a <- 0
 *         ...
 *     }
 */
#include "example.h"

struct player {
  const char *name;
  gch_chan *in, *out; /* of int: hits so far */
};

static void play(void *arg) {
  struct player *p = arg;
  int hits;
  while (gch_recv(p->in, &hits) == 0 && hits < 10) {
    printf("%s %d\n", p->name, ++hits);
    if (gch_send(p->out, &hits) != 0)
      break;
  }
  gch_close(p->out);
}

GCH_MAIN(argc, argv) {
  GCH_AUTO gch_chan *a = gch_make_of(int, 0);
  GCH_AUTO gch_chan *b = gch_make_of(int, 0);
  if (!a || !b)
    return fail("gch_make", ENOMEM);

  struct player ping = {"ping", a, b}, pong = {"pong", b, a};
  gch_wg wg = GCH_WG_INIT;
  int err = gch_wg_go(&wg, play, &ping);
  if (!err)
    err = gch_wg_go(&wg, play, &pong);
  if (!err)
    err = gch_send(a, &(int){0});
  if (err)
    gch_close(a); /* the game is off */
  gch_wg_wait(&wg);
  return err ? fail("cannot play", err) : 0;
}
