// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"time"
)

// A tree is a root with a side and a crowd of n descendants, in groups.
type tree struct {
	side   context.Context
	cancel context.CancelFunc // of the crowd
	keep   []context.Context
}

func newTree(n int) *tree {
	root, _ := context.WithCancel(context.Background())
	side, _ := context.WithCancel(root)
	crowd, cancel := context.WithCancel(root)
	t := &tree{side, cancel, make([]context.Context, n)}
	for i := range t.keep {
		parent := crowd
		if i%100 != 0 {
			parent = t.keep[i-i%100]
		}
		t.keep[i], _ = context.WithCancel(parent)
		t.keep[i].Done()
	}
	return t
}

func cancelOthers(r *edgeRun) {
	t := newTree(r.n)
	var w worst
	w.during(r, func() {
		w.often(func() {
			_, cancel := context.WithCancel(t.side)
			cancel()
		})
	}, t.cancel)
}

func cancelTick(r *edgeRun) {
	t := newTree(r.n)
	var w worst
	w.during(r, func() {
		ticker := time.NewTicker(ms)
		last := time.Now()
		for first := true; !w.isOver(); first = false {
			<-ticker.C
			now := time.Now()
			if !first {
				w.take(now.Sub(last) - ms)
			}
			last = now
		}
	}, t.cancel)
}

// subtrees: arg is whether they are one tree.
func subtrees(r *edgeRun) {
	var below [8]context.Context
	root, cancel := context.WithCancel(context.Background())
	for i := range below {
		parent := context.Background()
		if r.arg == 1 {
			parent = root
		}
		below[i], _ = context.WithCancel(parent)
	}
	storm(r, func(i int, _ uint32) {
		_, cancel := context.WithCancel(below[i])
		cancel()
	})
	cancel()
}

var treeEdges = map[string]edge{
	"cancel-others": {fn: cancelOthers, n: 1000000},
	"cancel-tick":   {fn: cancelTick, n: 1000000},
	"subtrees-8":    {fn: subtrees, n: 8, arg: 1},
	"trees-8":       {fn: subtrees, n: 8, arg: 0},
}
