/* SPDX-License-Identifier: BSD-3-Clause */
/* <gulch.h>: all of gulch. */
#ifndef GULCH_H
#define GULCH_H

#include <gulch/base.h>
#include <gulch/chan.h>
#include <gulch/ctx.h>
#include <gulch/debug.h>
#include <gulch/errgroup.h>
#include <gulch/go.h>
#include <gulch/io.h>
#include <gulch/net.h>
#include <gulch/panic.h>
#include <gulch/readyfd.h>
#include <gulch/select.h>
#include <gulch/signal.h>
#include <gulch/sync.h>
#include <gulch/timer.h>
#include <gulch/typed.h>
#include <gulch/wg.h>

#endif
