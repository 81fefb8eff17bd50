// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"os"
	"sort"
	"time"
)

// The groups "edges" and "io": a row sets a scene and takes figures for a given time, as
// bench/edge.h says.
type edgeRun struct {
	n       int
	arg     time.Duration
	began   time.Time
	budget  time.Duration
	figures []int64
}

type edge struct {
	fn  func(r *edgeRun)
	n   int
	arg time.Duration
	p99 bool
}

const (
	us = time.Microsecond
	ms = time.Millisecond
)

func (r *edgeRun) more() bool {
	return len(r.figures) == 0 || len(r.figures) < 100000 &&
		time.Since(r.began) < r.budget
}

func (r *edgeRun) take(d time.Duration) { r.figures = append(r.figures, int64(d)) }

func (r *edgeRun) percentile(p int) int64 {
	return r.figures[(len(r.figures)*p+99)/100-1]
}

func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// clock is nanoseconds from the start, for what is shared by atomics.
var clockBegan = time.Now()

func clock() int64 { return int64(time.Since(clockBegan)) }

var edgeTables = []map[string]edge{blockEdges, wakeEdges, computeEdges,
	sleepEdges, timerEdges, handEdges, lockEdges, treeEdges, echoEdges,
	callEdges}

func findEdge(name string) (edge, bool) {
	for _, table := range edgeTables {
		if e, ok := table[name]; ok {
			return e, true
		}
	}
	return edge{}, false
}

func listEdges() {
	var names []string
	for _, table := range edgeTables {
		for name := range table {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name)
	}
}

// gobench edges list, or gobench edges ROW MS
func edgesMain(args []string) {
	if len(args) == 1 && args[0] == "list" {
		listEdges()
		return
	}
	e, ok := findEdge(args[0])
	if !ok || len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gobench edges list | edges ROW MS")
		os.Exit(2)
	}
	r := &edgeRun{n: e.n, arg: e.arg, budget: time.Duration(number(3)) * ms}
	r.figures = make([]int64, 0, 100000)
	r.began = time.Now()
	e.fn(r)
	f := r.figures
	sort.Slice(f, func(i, j int) bool { return f[i] < f[j] })
	fmt.Printf("{\"figures\": %d, \"value\": %d", len(f), r.percentile(50))
	if e.p99 {
		fmt.Printf(", \"p99\": %d", r.percentile(99))
	}
	fmt.Printf(", \"worst\": %d}\n", r.percentile(100))
}
