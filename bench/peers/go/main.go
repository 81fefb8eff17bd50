// SPDX-License-Identifier: BSD-3-Clause

// The bench's rows in Go, one operation being just what it is in the C files
// of the same names.
//
//	gobench list              the rows, one a line
//	gobench ROW OPS MS        one sample; OPS 0: as many as take MS
//	gobench edges …           the same for "edges" and "io", see edges.go
//	gobench httpd …           a web server, see httpd.go
package main

import (
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"syscall"
	"time"
)

// A run is one sample: what is between begin and end is measured.
type run struct {
	ops, n, cap int
	wall, cpu   time.Duration
	value       float64
	began       time.Time
}

type row struct {
	fn     func(r *run)
	cap, n int
	byN    bool   // operations come n at a time
	unit   string // not "": runs just once, and sets run.value
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (r *run) begin() {
	r.cpu -= cpuTime()
	r.began = time.Now()
}

func (r *run) end() {
	r.wall += time.Since(r.began)
	r.cpu += cpuTime()
}

func (w row) whole(ops float64) int {
	unit := 1
	if w.byN {
		unit = w.n
	}
	rounds := int(ops/float64(unit) + 0.999)
	if rounds < 1 {
		rounds = 1
	}
	return rounds * unit
}

func (w row) work(ops int) (*run, float64) {
	start := time.Now()
	r := &run{ops: ops, n: w.n, cap: w.cap}
	w.fn(r)
	return r, float64(time.Since(start))
}

// calibrate does as that of bench/sample.c.
func (w row) calibrate(target float64) int {
	best, ops := target, w.whole(1)
	for slow := 0; slow < 2; {
		r, all := w.work(ops)
		wall, all := float64(r.wall), all/4
		best = math.Min(best, (math.Max(wall, all)+1)/float64(ops))
		if wall >= target/8 || all >= target/2 {
			slow++
		} else {
			ops = w.whole(4 * float64(ops))
		}
	}
	return w.whole(target / best)
}

func (w row) sample(ops int, target float64) {
	if w.unit != "" {
		ops = w.n
	} else if ops == 0 {
		ops = w.calibrate(target)
	} else {
		w.work(w.whole(float64(ops) / 10))
	}
	r, _ := w.work(ops)
	value := float64(r.wall) / float64(ops)
	if w.unit != "" {
		value = r.value
	}
	fmt.Printf("{\"ops\": %d, \"value\": %.2f, \"cpu\": %.2f}\n", ops, value,
		float64(r.cpu)/float64(ops))
}

func number(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "list" {
		var names []string
		for name := range rows {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "edges" {
		edgesMain(os.Args[2:])
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "httpd" {
		httpdMain(os.Args[2], os.Args[3])
		return
	}
	if len(os.Args) != 4 || rows[os.Args[1]].fn == nil {
		fmt.Fprintln(os.Stderr, "usage: gobench list | ROW OPS MS")
		os.Exit(2)
	}
	go func() { select {} }() // one that sleeps, as in the C bench
	rows[os.Args[1]].sample(number(2), float64(number(3))*1e6)
}
