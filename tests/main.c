/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole program by GCH_MAIN: see main.sh. */
#ifdef IN_EXTERN_C
extern "C" {
#endif
#include <gulch.h>
#include <stdio.h>
#include <stdlib.h>

static void send_seven(void *arg) {
  int seven = 7;
  gch_chan *c = (gch_chan *)arg;
  gch_must(gch_send(c, &seven));
  gch_unref(c);
}

/* Without an argument it falls off its end. */
GCH_MAIN(argc, argv) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 0;
  gch_must(gch_go(send_seven, gch_ref(c)));
  gch_must(gch_recv(c, &v));
  printf("%d %d", v, (int)gch_num_tasks() > 0);
  if (argc > 1)
    return atoi(argv[1]);
}

#ifdef IN_EXTERN_C
}
#endif
