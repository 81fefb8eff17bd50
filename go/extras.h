/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a switch has to see to beyond the registers, in programs that need it:
 * the C++ exceptions in flight, which the C++ runtime keeps by thread, and the
 * sanitizers (sanitizer.h). Where there is none of that, and fences are
 * asymmetric, switches are plain, and pay nothing.
 *
 * Whoever leaves a stack takes what the runtimes keep along in his frame, and
 * leaves them empty. So whoever begins on a thread, or comes back to it from a
 * switch that was plain, finds nothing there.
 */
#ifndef GCH_GO_EXTRAS_H
#define GCH_GO_EXTRAS_H

#include "park/cpu.h"

#include <stdbool.h>

/* Once, before the first task: has switches be plain, if they may. */
void gch__extras_begin(void);

/* False at first, and again from when the first C++ runtime is loaded. No
   atomic, which would cost an instruction more: whoever still finds it true has
   nothing to take along yet. */
extern GCH_HIDDEN bool gch__plain;

/* As in the Itanium C++ ABI, 2.2.2, and ARM's. */
struct gch_cxx_globals {
  void *caught;
  unsigned uncaught;
#if defined(__arm__) && defined(__ARM_EABI__)
  void *propagating;
#endif
};

/* C++ runtimes: mostly none or one; a plugin may have one of its own. */
enum { GCH_CXX_RUNTIMES = 4 };

struct gch_exceptions {
  int runtimes;
  struct gch_cxx_globals of[GCH_CXX_RUNTIMES];
};

/* In a forked child. */
void gch__extras_forked(void);

/* Takes the calling thread's; gives them back, perhaps in another. */
void gch__exceptions_leave(struct gch_exceptions *e);
void gch__exceptions_arrive(const struct gch_exceptions *e);

#endif
