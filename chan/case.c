/* SPDX-License-Identifier: BSD-3-Clause */
/* What the case macros do, as functions. */
#include <gulch/select.h>

gch_case gch_case_recv(gch_chan *c, void *elem, int *err) {
  return GCH_RECV_ERR(c, elem, err);
}

gch_case gch_case_send(gch_chan *c, const void *elem, int *err) {
  return gch_case_make(err ? GCH_CASE_SEND_ERR : GCH_CASE_SEND, c, elem, err);
}

gch_case gch_case_until(int64_t deadline) {
  return GCH_UNTIL(deadline);
}

gch_case gch_case_timeout(int64_t ns) {
  return GCH_TIMEOUT(ns);
}

gch_case gch_case_default(void) {
  return GCH_DEFAULT;
}
