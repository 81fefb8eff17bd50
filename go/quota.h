/* SPDX-License-Identifier: BSD-3-Clause */
/* How much processor time the process may have. */
#ifndef GCH_GO_QUOTA_H
#define GCH_GO_QUOTA_H

/* Processors' time, rounded up, that the process's cgroup (version 1 or 2) and
   those above it let it use; 0: there is no quota, or it can't be read. */
int gch__cpu_quota(void);

#endif
