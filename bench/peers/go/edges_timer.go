// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"sync/atomic"
	"time"
)

func timerAsked(r *edgeRun) {
	for r.more() {
		start := time.Now()
		c := time.After(r.arg)
		for due := false; !due; {
			select {
			case <-c:
				due = true
			default:
			}
		}
		r.take(time.Since(start) - r.arg)
	}
}

func after0(r *edgeRun) {
	for r.more() {
		start := time.Now()
		<-time.After(0)
		r.take(time.Since(start))
	}
}

func after0Twice(r *edgeRun) {
	first, all := 0, 0
	for ; all < 100000 && time.Since(r.began) < r.budget; all++ {
		a, b := time.After(0), time.After(0)
		select {
		case <-a:
			first++
		case <-b:
		}
	}
	r.take(time.Duration(first * 1000000 / all))
}

func pending(n int) []*time.Timer {
	t := make([]*time.Timer, n)
	for i := range t {
		t[i] = time.NewTimer(time.Hour + time.Duration(i)*us)
	}
	return t
}

const stops = 1000

func stopEarliest(r *edgeRun) {
	var worst time.Duration
	for _, t := range pending(r.n)[:stops] {
		start := time.Now()
		t.Stop()
		if took := time.Since(start); took > worst {
			worst = took
		}
	}
	r.take(worst)
}

// A worst is the worst that another goroutine finds, which comes round before
// and after.
type worst struct {
	most, rounds int64
	over         int32
}

func (w *worst) comeRound() {
	for seen := atomic.LoadInt64(&w.rounds); atomic.LoadInt64(&w.rounds) < seen+3; {
		time.Sleep(ms)
	}
}

func (w *worst) take(d time.Duration) {
	if int64(d) > atomic.LoadInt64(&w.most) {
		atomic.StoreInt64(&w.most, int64(d))
	}
	atomic.AddInt64(&w.rounds, 1)
}

func (w *worst) isOver() bool { return atomic.LoadInt32(&w.over) != 0 }

// during has fn called, other looking meanwhile.
func (w *worst) during(r *edgeRun, other, fn func()) {
	go other()
	w.comeRound()
	atomic.StoreInt64(&w.most, 0)
	fn()
	w.comeRound()
	r.take(time.Duration(atomic.LoadInt64(&w.most)))
	atomic.StoreInt32(&w.over, 1)
}

// often calls fn all 100 µs and takes the time.
func (w *worst) often(fn func()) {
	for !w.isOver() {
		start := time.Now()
		fn()
		w.take(time.Since(start))
		time.Sleep(100 * us)
	}
}

func stopOthers(r *edgeRun) {
	t := pending(r.n)
	var w worst
	w.during(r, func() {
		w.often(func() {
			_, cancel := context.WithTimeout(context.Background(), time.Hour)
			cancel()
		})
	}, func() {
		for i, t := range t[:stops] {
			t.Stop()
			if i%100 == 0 {
				time.Sleep(100 * us)
			}
		}
	})
}

func tickerUnread(r *edgeRun) {
	t := time.NewTicker(r.arg)
	start, cpu := time.Now(), cpuTime()
	time.Sleep(r.budget)
	r.take((cpuTime() - cpu) * 1000000 / time.Since(start))
	t.Stop()
}

var timerEdges = map[string]edge{
	"timer-asked":         {fn: timerAsked, arg: 200 * us, p99: true},
	"after-0":             {fn: after0, p99: true},
	"after-0-twice":       {fn: after0Twice},
	"stop-earliest":       {fn: stopEarliest, n: 1000000},
	"stop-others":         {fn: stopOthers, n: 1000000},
	"ticker-unread-100us": {fn: tickerUnread, arg: 100 * us},
	"ticker-unread-1ns":   {fn: tickerUnread, arg: 1},
}
