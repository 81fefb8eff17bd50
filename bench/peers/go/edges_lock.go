// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// storm has n goroutines call fn until a step is over: a figure is the wall
// time a call.
func storm(r *edgeRun, fn func(random uint32)) {
	for r.more() {
		var wg sync.WaitGroup
		var over int32
		var total int64
		wg.Add(r.n)
		start := time.Now()
		for i := 0; i < r.n; i++ {
			go func() {
				n, random := 0, uint32(clock())
				for ; atomic.LoadInt32(&over) == 0; n++ {
					random = random*1664525 + 1013904223
					fn(random >> 16)
				}
				atomic.AddInt64(&total, int64(n))
				wg.Done()
			}()
		}
		time.Sleep(50 * ms)
		atomic.StoreInt32(&over, 1)
		wg.Wait()
		r.take(time.Since(start) / time.Duration(total))
	}
}

// pause is as long as the twin's loop of 20 on a volatile.
//
//go:noinline
func pause(at *int32) {
	for i := 0; i < 20; i++ {
		*at++
	}
}

func rwmutex(r *edgeRun) {
	var rw sync.RWMutex
	table := 0
	storm(r, func(random uint32) {
		var at int32
		if random%100 < uint32(r.arg) {
			rw.RLock()
			_ = table
			rw.RUnlock()
		} else {
			rw.Lock()
			table++
			rw.Unlock()
		}
		pause(&at)
	})
}

func tryStorm(r *edgeRun) {
	c := make(chan int, 1024)
	for i := 0; i < 512; i++ {
		c <- i
	}
	storm(r, func(uint32) {
		select {
		case c <- 1:
		default:
		}
		select {
		case <-c:
		default:
		}
	})
}

var lockEdges = map[string]edge{
	"rwmutex-90":    {fn: rwmutex, n: 8, arg: 90},
	"rwmutex-write": {fn: rwmutex, n: 8, arg: 0},
	"try-storm-4":   {fn: tryStorm, n: 4},
	"try-storm-64":  {fn: tryStorm, n: 64},
}
