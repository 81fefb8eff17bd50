/* SPDX-License-Identifier: BSD-3-Clause */
/* What the case macros do, as functions. */
#include <gulch/io.h>

gch_case gch_case_readable(int fd, int *err) {
  return GCH_READABLE_ERR(fd, err);
}

gch_case gch_case_writable(int fd, int *err) {
  return GCH_WRITABLE_ERR(fd, err);
}
