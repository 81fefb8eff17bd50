// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

func sleepOn(r *edgeRun, d time.Duration) {
	for r.more() {
		start := time.Now()
		time.Sleep(d)
		r.take(time.Since(start) - d)
	}
}

func besideYielding(r *edgeRun) {
	var over int32
	for i := 0; i < 2; i++ {
		go func() {
			for atomic.LoadInt32(&over) == 0 {
				spin(r.arg)
				runtime.Gosched()
			}
		}()
	}
	sleepOn(r, ms)
	atomic.StoreInt32(&over, 1)
}

func besidePingpong(r *edgeRun) {
	for i := 0; i < 2; i++ {
		ping, pong := make(chan struct{}), make(chan struct{})
		go func() {
			for range ping {
				pong <- struct{}{}
			}
		}()
		go func() {
			for {
				ping <- struct{}{}
				<-pong
			}
		}()
	}
	sleepOn(r, 100*us)
}

var sleepEdges = map[string]edge{
	"sleep-yield-1ms": {fn: besideYielding, arg: ms, p99: true},
	"sleep-yield-3ms": {fn: besideYielding, arg: 3 * ms, p99: true},
	"sleep-pingpong":  {fn: besidePingpong, p99: true},
}
