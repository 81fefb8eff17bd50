/* SPDX-License-Identifier: BSD-3-Clause */
/* Misuse of typed channels that must not compile: typed.sh sets WRONG to one
   of these at a time, or to ALL. With WRONG 0 all is well. Each is in a block
   of its own, by whose lines typed.sh knows whose an error is. */
#include <gulch.h>

#define ALL (-1)
#define IS(n) (WRONG == (n) || WRONG == ALL)

struct job {
  int id, weight;
};

GCH_CHAN_TYPE(jobs, struct job)
GCH_CHAN_TYPE(counts, int)

typedef int pair[2];
#if IS(15) /* what can't be an element */
GCH_CHAN_TYPE(pairs, pair)
#endif
#if IS(16)
GCH_CHAN_TYPE(constants, const struct job)
#endif
#if IS(17)
typedef const pair constant_pair;
GCH_CHAN_TYPE(constant_pairs, constant_pair)
#endif

#ifdef __cplusplus
struct copied {
  copied(const copied &);
  int n;
};
struct freed {
  ~freed();
  int n;
};
struct with_base : freed {
  int m;
};
struct holder {
  freed f;
};
struct faced {
  virtual void face();
};
enum class color { red };
struct made {
  made(int);
  int n;
};
GCH_CHAN_TYPE(colors, color)
GCH_CHAN_TYPE(mades, made)
GCH_CHAN_TYPE(members, int made::*)
#if IS(18) /* nor what bytes do not copy */
GCH_CHAN_TYPE(copieds, copied)
#endif
#if IS(19)
GCH_CHAN_TYPE(freeds, freed)
#endif
#if IS(20)
GCH_CHAN_TYPE(with_bases, with_base)
#endif
#if IS(21)
GCH_CHAN_TYPE(holders, holder)
#endif
#if IS(22)
GCH_CHAN_TYPE(faceds, faced)
#endif
#if IS(23)
GCH_CHAN_TYPE(references, int &)
#endif
#endif

int main(void) {
  jobs c = jobs_make(1);
  jobs_sender s = jobs_to_sender(c);
  jobs_receiver r = jobs_to_receiver(c);
  struct job j = {1, 2};
  int v = 0;
  (void)v;
  jobs_sender_send(s, j);
#if WRONG == 0
  jobs_receiver_recv(r, &j);
#endif
#if IS(1) /* another type of element */
  jobs_send(c, v);
#endif
#if IS(2)
  jobs_recv(c, &v);
#endif
#if IS(3)
  gch_select(jobs_on_recv(c, &v), GCH_DEFAULT);
#endif
#if IS(4)
  gch_select(jobs_on_send(c, &v), GCH_DEFAULT);
#endif
#if IS(5) /* another channel */
  counts_send(c, 1);
#endif
#if IS(6) /* the wrong direction */
  jobs_receiver_send(r, j);
#endif
#if IS(7)
  jobs_sender_recv(s, &j);
#endif
#if IS(8)
  jobs_receiver_close(r);
#endif
#if IS(9)
  jobs_receiver_send(s, j);
#endif
#if IS(10)
  jobs_recv(s, &j);
#endif
#if IS(11)
  jobs_send(r, j);
#endif
#if IS(12) /* a direction back to the channel */
  c = s;
#endif
#if IS(13)
  jobs_sender_on_recv(s, &j);
#endif
#if IS(14)
  jobs_receiver_on_send(r, &j);
#endif
#if IS(24) /* another type of element, many times */
  jobs_send_many(c, &v, 1, NULL);
#endif
#if IS(25)
  jobs_recv_many(c, &v, 1, NULL);
#endif
#if IS(26) /* the wrong direction */
  jobs_sender_recv_many(s, &j, 1, NULL);
#endif
#if IS(27)
  jobs_receiver_send_many(r, &j, 1, NULL);
#endif
  (void)r;
  jobs_unref(c);
  return 0;
}
