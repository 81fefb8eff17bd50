/* SPDX-License-Identifier: BSD-3-Clause */
/* llhttp, from the system's folder: what its authors generate. */
#include <llhttp.c>
