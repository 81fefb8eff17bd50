// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"sync/atomic"
	"time"
)

const rest = ms

// computeAndTake computes; how long after start the other ran, who may not
// have until now.
func computeAndTake(r *edgeRun, ran *int64, start int64) {
	spin(2 * ms)
	for atomic.LoadInt64(ran) == 0 {
		time.Sleep(20 * us)
	}
	r.take(time.Duration(atomic.LoadInt64(ran) - start))
	atomic.StoreInt64(ran, 0)
}

func wakeSend(r *edgeRun) {
	var ran int64
	c := make(chan struct{})
	go func() {
		for range c {
			atomic.StoreInt64(&ran, clock())
		}
	}()
	for r.more() {
		time.Sleep(rest)
		start := clock()
		c <- struct{}{}
		computeAndTake(r, &ran, start)
	}
	close(c)
}

func wakeClose(r *edgeRun) {
	for r.more() {
		var ran int64
		c := make(chan struct{})
		go func() {
			<-c
			atomic.StoreInt64(&ran, clock())
		}()
		time.Sleep(rest)
		start := clock()
		close(c)
		computeAndTake(r, &ran, start)
	}
}

func wakeStart(r *edgeRun) {
	for r.more() {
		var ran int64
		time.Sleep(rest)
		start := clock()
		go func() { atomic.StoreInt64(&ran, clock()) }()
		computeAndTake(r, &ran, start)
	}
}

var wakeEdges = map[string]edge{
	"wake-send":       {fn: wakeSend, p99: true},
	"wake-close":      {fn: wakeClose, p99: true},
	"wake-start":      {fn: wakeStart, p99: true},
	"main-wake-send":  {fn: wakeSend, p99: true},
	"main-wake-close": {fn: wakeClose, p99: true},
	"main-wake-start": {fn: wakeStart, p99: true},
}
