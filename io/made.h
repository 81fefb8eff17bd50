/* SPDX-License-Identifier: BSD-3-Clause */
/* Which task made a descriptor, for GULCH_LEAKS: kept by number, and only where
   that is on. */
#ifndef GCH_IO_MADE_H
#define GCH_IO_MADE_H

/* By the caller, a moment ago. */
void gch__fd_made(int fd);

/* The function that the task was started with which made fd; NULL: it was no
   task, or it is not known. */
const void *gch__fd_maker(int fd);

#endif
