// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// block blocks the thread, not only the goroutine.
func block(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&t, &t) != nil {
	}
}

func pool(r *edgeRun) {
	for r.more() {
		var wg sync.WaitGroup
		jobs, results := make(chan int, 64), make(chan int, 64)
		start := time.Now()
		wg.Add(100)
		for i := 0; i < 100; i++ {
			go func() {
				for job := range jobs {
					block(r.arg)
					results <- job
				}
				wg.Done()
			}()
		}
		go func() {
			for i := 0; i < r.n; i++ {
				jobs <- i
			}
			close(jobs)
		}()
		for i := 0; i < r.n; i++ {
			<-results
		}
		r.take(time.Since(start))
		wg.Wait()
	}
}

// A crowd comes and reads a pipe by the system call, as a C library does.
type crowd struct {
	pipe           [2]int
	arrived, allIn int64
	wg             sync.WaitGroup
}

func (c *crowd) come(n int) {
	if err := syscall.Pipe(c.pipe[:]); err != nil {
		panic(err)
	}
	c.wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			var b [1]byte
			if atomic.AddInt64(&c.arrived, 1) == int64(n) {
				atomic.StoreInt64(&c.allIn, clock())
			}
			syscall.Read(c.pipe[0], b[:])
			c.wg.Done()
		}()
	}
}

func (c *crowd) leave() {
	for atomic.LoadInt64(&c.allIn) == 0 {
		time.Sleep(ms / 2)
	}
	syscall.Close(c.pipe[1])
	c.wg.Wait()
	syscall.Close(c.pipe[0])
}

func intoRead(r *edgeRun) {
	for r.more() {
		var c crowd
		start := clock()
		c.come(r.n)
		c.leave()
		r.take(time.Duration(c.allIn - start))
	}
}

func behindBlocked(r *edgeRun) {
	for r.more() {
		var c crowd
		c.come(r.n)
		ran, start := make(chan int64, 1), clock()
		go func() { ran <- clock() }()
		go func() {}() // the newest runs next: see edge_block.c
		r.take(time.Duration(<-ran - start))
		c.leave()
	}
}

var blockEdges = map[string]edge{
	"pool-0.3ms":          {fn: pool, n: 5000, arg: 300 * us},
	"pool-1ms":            {fn: pool, n: 5000, arg: ms},
	"pool-1ms-told":       {fn: pool, n: 5000, arg: ms},
	"pool-5ms":            {fn: pool, n: 1000, arg: 5 * ms},
	"into-read-200":       {fn: intoRead, n: 200},
	"into-read-1000":      {fn: intoRead, n: 1000},
	"behind-blocked-10":   {fn: behindBlocked, n: 10, p99: true},
	"behind-blocked-100":  {fn: behindBlocked, n: 100, p99: true},
	"behind-blocked-1000": {fn: behindBlocked, n: 1000, p99: true},
}
