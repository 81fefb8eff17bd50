/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of evaluation in a select, in C++. */
#include "check_select_args.c"
