/* SPDX-License-Identifier: BSD-3-Clause */
/* llhttp, from the system's folder: what its authors wrote; the rest of it is
   in http_states.c. */
#include <api.c>
#include <http.c>
