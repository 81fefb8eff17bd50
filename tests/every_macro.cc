/* SPDX-License-Identifier: BSD-3-Clause */
/* every_macro.c as C++, also with all of it in a linkage block. */
#ifdef IN_EXTERN_C
extern "C" {
#endif
#include "every_macro.c"
#ifdef IN_EXTERN_C
}
#endif
