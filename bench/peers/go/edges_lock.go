// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// parties starts n goroutines that call fn until it is over; what is returned
// ends them, and says how often they did.
func parties(n int, fn func(i int, random uint32)) (end func() int64) {
	var wg sync.WaitGroup
	var over int32
	var total int64
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			count, random := 0, uint32(clock())
			for ; atomic.LoadInt32(&over) == 0; count++ {
				random = random*1664525 + 1013904223
				fn(i, random>>16)
			}
			atomic.AddInt64(&total, int64(count))
			wg.Done()
		}(i)
	}
	return func() int64 {
		atomic.StoreInt32(&over, 1)
		wg.Wait()
		return total
	}
}

// storm has n goroutines call fn until a step is over: a figure is the wall
// time a call.
func storm(r *edgeRun, fn func(i int, random uint32)) {
	for r.more() {
		start := time.Now()
		end := parties(r.n, fn)
		time.Sleep(50 * ms)
		r.take(time.Since(start) / time.Duration(end()))
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
	storm(r, func(_ int, random uint32) {
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

func halfFull() chan int {
	c := make(chan int, 1024)
	for i := 0; i < 512; i++ {
		c <- i
	}
	return c
}

func tryBoth(c chan int) {
	select {
	case c <- 1:
	default:
	}
	select {
	case <-c:
	default:
	}
}

func tryStorm(r *edgeRun) {
	c := halfFull()
	storm(r, func(int, uint32) { tryBoth(c) })
}

// neighbour: arg is whether the storm is at one channel.
func neighbour(r *edgeRun) {
	var c [4]chan int
	var calm [256]chan int
	for i := range c {
		c[i] = halfFull()
		if r.arg == 1 {
			c[i] = c[0]
		}
	}
	for i := range calm {
		calm[i] = make(chan int, 1)
	}
	end := parties(r.n, func(i int, _ uint32) { tryBoth(c[i%4]) })
	time.Sleep(ms)
	for at := 0; r.more(); at++ {
		c, start := calm[at%len(calm)], time.Now()
		for i := 0; i < 20; i++ {
			c <- i
			<-c
		}
		r.take(time.Since(start) / 20)
	}
	end()
}

var lockEdges = map[string]edge{
	"rwmutex-90":     {fn: rwmutex, n: 8, arg: 90},
	"rwmutex-write":  {fn: rwmutex, n: 8, arg: 0},
	"try-storm-4":    {fn: tryStorm, n: 4},
	"try-storm-64":   {fn: tryStorm, n: 64},
	"neighbour":      {fn: neighbour, n: 4, arg: 1, p99: true},
	"neighbour-calm": {fn: neighbour, n: 4, arg: 0, p99: true},
}
