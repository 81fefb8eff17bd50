/* SPDX-License-Identifier: BSD-3-Clause */
/* Staying in memory, whoever unloads what. errno is left alone. */
#ifndef GCH_PARK_STAY_H
#define GCH_PARK_STAY_H

/* From now on the code that calls this stays loaded until the process ends: the
   shared library, or the plugin into which the archive was linked. To be called
   before anything is set up that calls this code later by itself: a thread, a
   signal handler, the destructor of a thread-specific value.
   No lock of ours may be held, nor a pthread_once be under way: it waits for
   the dynamic linker's lock, and a constructor that runs with that may wait for
   ours. (Once it has been called it waits no more.)
   In a forked child, where that lock may be held for ever, it does nothing. */
void gch__stay_loaded(void);

/* The same for what contains this code of somebody else's. */
void gch__keep_loaded(void *code);

#endif
