/* SPDX-License-Identifier: BSD-3-Clause */
/* llhttp, as its authors generate it, in the system's folder. */
#include <api.c>
#include <http.c>
#include <llhttp.c>
