/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of GCH_MAIN may stay unused: see main.sh. */
#include <gulch/go.h>

GCH_MAIN(argc, argv) {
  return 3;
}
