/* SPDX-License-Identifier: BSD-3-Clause */
/* Misuse of typed channels that must not compile: typed.sh sets WRONG to one
   of these at a time. With WRONG 0 all is well. */
#include <gulch.h>

struct job {
  int id, weight;
};

GCH_CHAN_TYPE(jobs, struct job)
GCH_CHAN_TYPE(counts, int)

typedef int pair[2];
#if WRONG == 15 /* what can't be an element */
GCH_CHAN_TYPE(pairs, pair)
#elif WRONG == 16
GCH_CHAN_TYPE(constants, const struct job)
#elif WRONG == 17
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
#if WRONG == 18 /* nor what bytes do not copy */
GCH_CHAN_TYPE(wrongs, copied)
#elif WRONG == 19
GCH_CHAN_TYPE(wrongs, freed)
#elif WRONG == 20
GCH_CHAN_TYPE(wrongs, with_base)
#elif WRONG == 21
GCH_CHAN_TYPE(wrongs, holder)
#elif WRONG == 22
GCH_CHAN_TYPE(wrongs, faced)
#elif WRONG == 23
GCH_CHAN_TYPE(wrongs, int &)
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
#elif WRONG == 1 /* another type of element */
  jobs_send(c, v);
#elif WRONG == 2
  jobs_recv(c, &v);
#elif WRONG == 3
  gch_select(jobs_on_recv(c, &v), GCH_DEFAULT);
#elif WRONG == 4
  gch_select(jobs_on_send(c, &v), GCH_DEFAULT);
#elif WRONG == 5 /* another channel */
  counts_send(c, 1);
#elif WRONG == 6 /* the wrong direction */
  jobs_receiver_send(r, j);
#elif WRONG == 7
  jobs_sender_recv(s, &j);
#elif WRONG == 8
  jobs_receiver_close(r);
#elif WRONG == 9
  jobs_receiver_send(s, j);
#elif WRONG == 10
  jobs_recv(s, &j);
#elif WRONG == 11
  jobs_send(r, j);
#elif WRONG == 12 /* a direction back to the channel */
  c = s;
#elif WRONG == 13
  jobs_sender_on_recv(s, &j);
#elif WRONG == 14
  jobs_receiver_on_send(r, &j);
#elif WRONG == 24 /* another type of element, many times */
  jobs_send_many(c, &v, 1, NULL);
#elif WRONG == 25
  jobs_recv_many(c, &v, 1, NULL);
#elif WRONG == 26 /* the wrong direction */
  jobs_sender_recv_many(s, &j, 1, NULL);
#elif WRONG == 27
  jobs_receiver_send_many(r, &j, 1, NULL);
#endif
  (void)r;
  jobs_unref(c);
  return 0;
}
