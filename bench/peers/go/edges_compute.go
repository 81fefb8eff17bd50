// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// computing starts n goroutines that compute, for 3 s at most; what is
// returned ends them.
func computing(n int) (end func()) {
	var over int32
	var wg sync.WaitGroup
	wg.Add(n)
	start := time.Now()
	for i := 0; i < n; i++ {
		go func() {
			for atomic.LoadInt32(&over) == 0 && time.Since(start) < 3*time.Second {
				spin(20 * us)
			}
			wg.Done()
		}()
	}
	return func() {
		atomic.StoreInt32(&over, 1)
		wg.Wait()
	}
}

func warmUp() {
	for start := time.Now(); time.Since(start) < 100*ms; {
		var wg sync.WaitGroup
		wg.Add(10)
		for i := 0; i < 10; i++ {
			go func() {
				spin(20 * us)
				wg.Done()
			}()
		}
		wg.Wait()
	}
}

func behindComputing(r *edgeRun) {
	for r.more() {
		warmUp()
		end := computing(r.n)
		ran, start := make(chan int64, 1), clock()
		go func() { ran <- clock() }()
		go func() {}() // the newest runs next: see edge_block.c
		r.take(time.Duration(<-ran - start))
		end()
	}
}

func behindComputing1(r *edgeRun) {
	runtime.GOMAXPROCS(1)
	behindComputing(r)
}

// threadWakes has no plain thread: a goroutine locked to one is the nearest.
func threadWakes(r *edgeRun) {
	runtime.LockOSThread()
	var ran int64
	c := make(chan struct{})
	go func() {
		for range c {
			atomic.StoreInt64(&ran, clock())
		}
	}()
	time.Sleep(ms)
	end := computing(r.n)
	for r.more() {
		block(ms)
		atomic.StoreInt64(&ran, 0)
		start := clock()
		c <- struct{}{}
		for atomic.LoadInt64(&ran) == 0 {
			block(100 * us)
		}
		r.take(time.Duration(ran - start))
	}
	close(c)
	end()
}

var computeEdges = map[string]edge{
	"behind-computing-1":   {fn: behindComputing1, n: 2, p99: true},
	"behind-computing-2":   {fn: behindComputing, n: 2, p99: true},
	"behind-computing-200": {fn: behindComputing, n: 200, p99: true},
	"thread-wakes-2":       {fn: threadWakes, n: 2, p99: true},
	"thread-wakes-8":       {fn: threadWakes, n: 8, p99: true},
}
