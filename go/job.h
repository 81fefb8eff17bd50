/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions that must run in a task, whatever happens. */
#ifndef GCH_GO_JOB_H
#define GCH_GO_JOB_H

#include "timer/service.h"

/* Runs job in a new task; where none can be started, on the library's own
   thread, which the caller made sure of (gch__service_start) when the job was
   registered. Allocates nothing that could fail the job. */
void gch__job_start(struct gch_job *job);

/* When a job is registered: sees to it that it can be started later. 0 or
   ENOMEM. */
int gch__job_prepare(void);

/* When something is made with user code that a job may reach: workers have the
   signal mask of the caller, not of the library's own thread, if that is the
   first to need one. */
void gch__job_expect(void);

#endif
