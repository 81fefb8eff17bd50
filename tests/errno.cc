/* SPDX-License-Identifier: BSD-3-Clause */
/* errno.c as C++. */
#include "errno.c"
