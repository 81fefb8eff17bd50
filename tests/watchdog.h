/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The watchdog: a thread that ends the process when a test takes too long,
 * after it has printed where each thread is. It blocks every signal, so that
 * those of the test go elsewhere.
 */
#ifndef GULCH_TESTS_WATCHDOG_H
#define GULCH_TESTS_WATCHDOG_H

/* Once, while there is only one thread. */
void watchdog_prepare(void);

void watchdog_start(double seconds);
void watchdog_stop(void);

#endif
