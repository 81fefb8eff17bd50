/* SPDX-License-Identifier: BSD-3-Clause */
/* A ticker is a timer with a period. */
#include "park/strict.h"
#include "timer/service.h"
#include "timer/timer_impl.h"

struct gch_ticker {
  struct gch_timer timer;
};

gch_ticker *gch_ticker_new(int64_t ns) {
  if (ns <= 0) {
    gch__go_panics(EINVAL, EINVAL, "non-positive interval for NewTicker");
    errno = EINVAL;
    return NULL;
  }
  return (gch_ticker *)gch__timer_new(ns, ns);
}

gch_chan *gch_ticker_chan(gch_ticker *t) {
  return t->timer.chan;
}

void gch_ticker_stop(gch_ticker *t) {
  if (t)
    gch_timer_stop(&t->timer);
}

int gch_ticker_reset(gch_ticker *t, int64_t ns) {
  if (ns <= 0)
    return gch__go_panics(EINVAL, EINVAL,
                          "non-positive interval for Ticker.Reset");
  if (gch__service_start() != 0) /* runs already, but in a forked child */
    return ENOMEM;
  gch__timer_restart(&t->timer, ns, ns);
  return 0;
}

void gch_ticker_free(gch_ticker *t) {
  if (t)
    gch_timer_free(&t->timer);
}
