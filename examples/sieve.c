/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sieve of Eratosthenes as a chain of tasks, one for each prime, that
 * pass on what their prime does not divide.
 *
 *     func generate(out chan<- int) {
 *         for i := 2; ; i++ {
 *             out <- i
 *         }
 *     }
 *     func filter(in <-chan int, out chan<- int, prime int) {
 *         for n := range in {
 *             if n%prime != 0 {
 *                 out <- n
 *             }
 *         }
 *     }
 *     func main() {
 *         ch := make(chan int)
 *         go generate(ch)
 *         for i := 0; i < 25; i++ {
 *             prime := <-ch
 *             fmt.Println(prime)
 *             next := make(chan int)
 *             go filter(ch, next, prime)
 *             ch = next
 *         }
 *     }
 *
 * In Go the tasks stay blocked until the program ends. Here the reader hangs
 * up: it closes the last channel, the next send into it fails, that task closes
 * its own input, and so on up to the generator. (Strict mode, being like Go,
 * would not allow that.)
 */
#include "example.h"

enum { PRIMES = 25 };

struct stage { /* the generator has neither in nor prime */
  gch_chan *in, *out;
  int prime;
};

static void generate(void *arg) {
  struct stage *s = arg;
  for (int i = 2; gch_send(s->out, &i) == 0; i++)
    ;
}

static void filter(void *arg) {
  struct stage *s = arg;
  int n;
  while (gch_recv(s->in, &n) == 0)
    if (n % s->prime != 0 && gch_send(s->out, &n) != 0)
      break;
  gch_close(s->in);
  gch_close(s->out);
}

/* Adds stage i, which reads from the one before it and holds its output's
   reference. 0, or an error: there is no such stage. */
static int add(struct stage *stage, int i, gch_wg *wg) {
  struct stage *s = &stage[i];
  s->out = gch_make_of(int, 0);
  if (!s->out)
    return ENOMEM;
  if (i > 0)
    s->in = stage[i - 1].out;
  int err = gch_wg_go(wg, i > 0 ? filter : generate, s);
  if (err)
    gch_unref(s->out);
  return err;
}

GCH_MAIN(argc, argv) {
  struct stage stage[PRIMES + 1];
  gch_wg wg = GCH_WG_INIT;
  int n = 0, err = 0;
  for (; n <= PRIMES; n++) {
    if (n > 0) {
      gch_recv(stage[n - 1].out, &stage[n].prime);
      printf("%d\n", stage[n].prime);
    }
    err = add(stage, n, &wg);
    if (err)
      break;
  }

  if (n > 0)
    gch_close(stage[n - 1].out);
  gch_wg_wait(&wg);
  while (n > 0)
    gch_unref(stage[--n].out);
  return err ? fail("cannot add a filter", err) : 0;
}
