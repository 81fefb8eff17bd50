// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

func sendOn(r *edgeRun) {
	c := make(chan int, r.n)
	go func() {
		for range c {
		}
	}()
	for r.more() {
		start := time.Now()
		for i := 0; i < 1000; i++ {
			c <- i
		}
		r.take(time.Since(start) / 1000)
	}
	close(c)
}

// standing starts n goroutines that sleep on a channel.
func standing(n int) (leave func()) {
	var arrived int64
	var wg sync.WaitGroup
	c := make(chan struct{})
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt64(&arrived, 1)
			<-c
			wg.Done()
		}()
	}
	for atomic.LoadInt64(&arrived) < int64(n) {
		time.Sleep(200 * us)
	}
	return func() {
		close(c)
		wg.Wait()
	}
}

func alive(r *edgeRun) {
	for r.more() {
		start := time.Now()
		standing(r.n)()
		r.take(time.Since(start) / time.Duration(r.n))
	}
}

func residentNow() int64 {
	var kilobytes int64
	rollup, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		panic(err)
	}
	rss := bytes.Index(rollup, []byte("Rss:")) + len("Rss:")
	fmt.Fscan(bytes.NewReader(rollup[rss:]), &kilobytes)
	return kilobytes * 1024
}

func aliveBytes(r *edgeRun) {
	before := residentNow()
	leave := standing(r.n)
	r.take(time.Duration((residentNow() - before) / int64(r.n)))
	leave()
}

var handEdges = map[string]edge{
	"main-send-0":      {fn: sendOn},
	"main-send-16":     {fn: sendOn, n: 16},
	"gchmain-send-0":   {fn: sendOn},
	"gchmain-send-16":  {fn: sendOn, n: 16},
	"alive-100k":       {fn: alive, n: 100000},
	"alive-100k-bytes": {fn: aliveBytes, n: 100000},
}
