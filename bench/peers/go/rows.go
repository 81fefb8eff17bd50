// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func uncontended(r *run) {
	c := make(chan uint64, r.cap)
	r.begin()
	for i := 0; i < r.ops; i++ {
		c <- uint64(i)
		<-c
	}
	r.end()
}

func tryRecv(r *run) {
	c := make(chan uint64, r.cap)
	r.begin()
	for i := 0; i < r.ops; i++ {
		select {
		case <-c:
		default:
		}
	}
	r.end()
}

// A gate holds parties until it is opened, which begins the measuring.
type gate chan bool

func (g gate) open(r *run) {
	time.Sleep(time.Millisecond)
	r.begin()
	close(g)
}

func (g gate) produce(c chan<- uint64, count int, wg *sync.WaitGroup) {
	<-g
	for i := 0; i < count; i++ {
		c <- uint64(i)
	}
	wg.Done()
}

func (g gate) consume(c <-chan uint64, wg *sync.WaitGroup) {
	<-g
	for range c {
	}
	wg.Done()
}

func stream(r *run) {
	var producers, consumers sync.WaitGroup
	c, g := make(chan uint64, r.cap), make(gate)
	producers.Add(r.n)
	consumers.Add(r.n)
	for i := 0; i < r.n; i++ {
		go g.consume(c, &consumers)
		go g.produce(c, (r.ops+i)/r.n, &producers)
	}
	g.open(r)
	producers.Wait()
	close(c)
	consumers.Wait()
	r.end()
}

func pingpong(r *run) {
	ping, pong := make(chan uint64), make(chan uint64)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	r.begin()
	for i := 0; i < r.ops; i++ {
		ping <- uint64(i)
		<-pong
	}
	r.end()
	close(ping)
}

func closeWakes(r *run) {
	closeAfter(r, func() { time.Sleep(20 * time.Millisecond) })
}

func closeWakesWarm(r *run) {
	closeAfter(r, func() {
		for i := 0; i < 20; i++ {
			runtime.Gosched()
		}
	})
}

// closeAfter has goroutines woken by a close when they sleep since a pause.
func closeAfter(r *run, pause func()) {
	for done := 0; done < r.ops; done += r.n {
		var ready, woken sync.WaitGroup
		c := make(chan uint64)
		ready.Add(r.n)
		woken.Add(r.n)
		for i := 0; i < r.n; i++ {
			go func() {
				ready.Done()
				<-c
				woken.Done()
			}()
		}
		ready.Wait()
		pause()
		r.begin()
		close(c)
		woken.Wait()
		r.end()
	}
}

func select2(r *run) {
	var wg sync.WaitGroup
	a, b, g := make(chan uint64, r.cap), make(chan uint64, r.cap), make(gate)
	wg.Add(2)
	go g.produce(a, r.ops/2, &wg)
	go g.produce(b, (r.ops+1)/2, &wg)
	g.open(r)
	for i := 0; i < r.ops; i++ {
		select {
		case <-a:
		case <-b:
		}
	}
	wg.Wait()
	r.end()
}

func select8(r *run) {
	var wg sync.WaitGroup
	var c [8]chan uint64
	g := make(gate)
	wg.Add(8)
	for i := range c {
		c[i] = make(chan uint64, r.cap)
		go g.produce(c[i], (r.ops+i)/8, &wg)
	}
	g.open(r)
	for i := 0; i < r.ops; i++ {
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		case <-c[4]:
		case <-c[5]:
		case <-c[6]:
		case <-c[7]:
		}
	}
	wg.Wait()
	r.end()
}

func worker(r *run) {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	jobs, g := make(chan uint64, r.cap), make(gate)
	wg.Add(1)
	go g.produce(jobs, r.ops, &wg)
	g.open(r)
	for i := 0; i < r.ops; i++ {
		select {
		case <-jobs:
		case <-ctx.Done():
		}
	}
	wg.Wait()
	r.end()
}

func selectDefault(r *run) {
	a, b := make(chan uint64, r.cap), make(chan uint64, r.cap)
	r.begin()
	for i := 0; i < r.ops; i++ {
		select {
		case <-a:
		case <-b:
		default:
		}
	}
	r.end()
}

func selectReady(r *run) {
	c := [2]chan uint64{make(chan uint64, r.cap), make(chan uint64, r.cap)}
	r.begin()
	for i := 0; i < r.ops; i++ {
		c[i%2] <- uint64(i)
		select {
		case <-c[0]:
		case <-c[1]:
		}
	}
	r.end()
}

// ask sends to a partner and awaits its answer from last, in a select with
// other.
func ask(r *run, other, last chan uint64) {
	c := make(chan uint64)
	go func() {
		for v := range c {
			last <- v
		}
	}()
	r.begin()
	for i := 0; i < r.ops; i++ {
		c <- uint64(i)
		select {
		case <-other:
		case <-last:
		}
	}
	r.end()
	close(c)
}

func selectParked(r *run) {
	ask(r, make(chan uint64), make(chan uint64))
}

func selectBehind(r *run) {
	crowded := make(chan uint64)
	go func() { <-crowded }()
	time.Sleep(20 * time.Millisecond)
	ask(r, crowded, make(chan uint64))
	close(crowded)
}

func ctxCancel(r *run) {
	parent, end := context.WithCancel(context.Background())
	defer end()
	r.begin()
	for i := 0; i < r.ops; i++ {
		_, cancel := context.WithCancel(parent)
		cancel()
	}
	r.end()
}

func ctxTimeout(r *run) {
	parent, end := context.WithCancel(context.Background())
	defer end()
	r.begin()
	for i := 0; i < r.ops; i++ {
		_, cancel := context.WithTimeout(parent, time.Hour)
		cancel()
	}
	r.end()
}

type key int

func ctxValue(r *run) {
	ctx := context.Background()
	for i := 0; i < r.n; i++ {
		ctx = context.WithValue(ctx, key(i), i)
	}
	var k interface{} = key(0)
	r.begin()
	for i := 0; i < r.ops; i++ {
		ctx.Value(k)
	}
	r.end()
}

func ctxErr(r *run) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.begin()
	for i := 0; i < r.ops; i++ {
		ctx.Err()
	}
	r.end()
}

func ctxDone(r *run) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.begin()
	for i := 0; i < r.ops; i++ {
		select {
		case <-ctx.Done():
		default:
		}
	}
	r.end()
}

func family(r *run, fall bool) {
	kids := make([]context.Context, r.n)
	cancels := make([]context.CancelFunc, r.n)
	for done := 0; done < r.ops; done += r.n {
		parent, cancel := context.WithCancel(context.Background())
		if !fall {
			r.begin()
		}
		for i := range kids {
			kids[i], cancels[i] = context.WithCancel(parent)
		}
		if fall {
			r.begin()
		} else {
			r.end()
		}
		cancel()
		if fall {
			r.end()
		}
	}
}

func ctxAdd(r *run) {
	family(r, false)
}

func ctxFall(r *run) {
	family(r, true)
}

func ctxChain(r *run) {
	for done := 0; done < r.ops; done += r.n {
		top, cancel := context.WithCancel(context.Background())
		last := top
		for i := 1; i < r.n; i++ {
			var end context.CancelFunc
			last, end = context.WithCancel(last)
			defer end()
		}
		r.begin()
		cancel()
		r.end()
	}
}

func ctxSibling(r *run) {
	parent, end := context.WithCancel(context.Background())
	defer end()
	_, other := context.WithCancel(parent)
	defer other()
	r.begin()
	for i := 0; i < r.ops; i++ {
		_, cancel := context.WithCancel(parent)
		cancel()
	}
	r.end()
}

func timer(r *run) {
	other := time.NewTimer(time.Hour)
	state := uint32(1)
	r.begin()
	for i := 0; i < r.ops; i++ {
		state = state*1664525 + 1013904223
		time.NewTimer(time.Hour + time.Duration(state)).Stop()
	}
	r.end()
	other.Stop()
}

func waitGroup(r *run) {
	var wg sync.WaitGroup
	wg.Add(1)
	r.begin()
	for i := 0; i < r.ops; i++ {
		wg.Add(1)
		wg.Done()
	}
	r.end()
	wg.Done()
}

// A group stands for golang.org/x/sync/errgroup's, which is not in Go's
// standard library.
type group struct {
	wg     sync.WaitGroup
	once   sync.Once
	cancel context.CancelFunc
	err    error
}

func (g *group) start(fn func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := fn(); err != nil {
			g.once.Do(func() {
				g.err = err
				g.cancel()
			})
		}
	}()
}

func (g *group) wait() error {
	g.wg.Wait()
	g.cancel()
	return g.err
}

func errGroup(r *run) {
	for done := 0; done < r.ops; done += r.n {
		var g group
		_, g.cancel = context.WithCancel(context.Background())
		r.begin()
		for i := 0; i < r.n; i++ {
			g.start(func() error { return nil })
		}
		g.wait()
		r.end()
	}
}

func goJoin(r *run) {
	for done := 0; done < r.ops; done += r.n {
		var wg sync.WaitGroup
		r.begin()
		for i := 0; i < r.n; i++ {
			wg.Add(1)
			go func() { wg.Done() }()
		}
		wg.Wait()
		r.end()
	}
}

func spread(r *run) {
	const compute = 50 * time.Microsecond
	for i := 0; i < r.ops; i++ {
		var begun int32
		for start := time.Now(); time.Since(start) < compute; {
		}
		r.begin()
		go func() { atomic.StoreInt32(&begun, 1) }()
		for atomic.LoadInt32(&begun) == 0 {
		}
		r.end()
	}
}

func yield(r *run) {
	var wg sync.WaitGroup
	g := make(gate)
	often := func(n int) {
		<-g
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
		wg.Done()
	}
	wg.Add(2)
	go often(r.ops / 2)
	go often(r.ops - r.ops/2)
	g.open(r)
	wg.Wait()
	r.end()
}

// Go's sieve has no end: its goroutines stay blocked.
func sieve(r *run) {
	for op := 0; op < r.ops; op++ {
		r.begin()
		c := make(chan int)
		go func(out chan<- int) {
			for i := 2; ; i++ {
				out <- i
			}
		}(c)
		for i := 0; i < r.n; i++ {
			prime, next := <-c, make(chan int)
			go func(in <-chan int, out chan<- int) {
				for n := range in {
					if n%prime != 0 {
						out <- n
					}
				}
			}(c, next)
			c = next
		}
		r.end()
	}
}

func resident() float64 {
	var size, pages int
	f, err := os.Open("/proc/self/statm")
	if err == nil {
		_, err = fmt.Fscan(f, &size, &pages)
		f.Close()
	}
	if err != nil {
		panic(err)
	}
	return float64(pages * os.Getpagesize())
}

// muster starts n goroutines that sleep until the channel is closed.
func muster(n int) chan uint64 {
	var ready sync.WaitGroup
	c := make(chan uint64)
	ready.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			ready.Done()
			<-c
		}()
	}
	ready.Wait()
	time.Sleep(20 * time.Millisecond)
	return c
}

func memory(r *run) {
	before := resident()
	c := muster(r.n)
	r.value = (resident() - before) / float64(r.n)
	close(c)
}

func cpuOfSleep(r *run, d time.Duration) time.Duration {
	r.cpu, r.wall = 0, 0
	r.begin()
	time.Sleep(d)
	r.end()
	return r.cpu
}

func idle(r *run) {
	const some = time.Second / 20
	c := muster(r.n)
	cpu := cpuOfSleep(r, some)
	cpu = cpuOfSleep(r, time.Second+some) - cpu
	r.value = math.Max(0, float64(cpu)/1e3)
	close(c)
}

var rows = map[string]row{
	"uncontended":     {fn: uncontended, cap: 64, n: 1},
	"spsc-1":          {fn: stream, cap: 1, n: 1},
	"spsc-64":         {fn: stream, cap: 64, n: 1},
	"spsc-1024":       {fn: stream, cap: 1024, n: 1},
	"mpmc-64":         {fn: stream, cap: 64, n: 4},
	"mpmc-1024":       {fn: stream, cap: 1024, n: 4},
	"pingpong":        {fn: pingpong, n: 1},
	"spsc-0":          {fn: stream, n: 1},
	"mpmc-0":          {fn: stream, n: 4},
	"try-recv":        {fn: tryRecv, cap: 64, n: 1},
	"close-1000":      {fn: closeWakes, n: 1000, byN: true},
	"close-1000-warm": {fn: closeWakesWarm, n: 1000, byN: true},
	"select-2":        {fn: select2, cap: 64, n: 2},
	"select-8":        {fn: select8, cap: 64, n: 8},
	"worker":          {fn: worker, cap: 64, n: 1},
	"select-default":  {fn: selectDefault, cap: 64, n: 2},
	"select-ready":    {fn: selectReady, cap: 1, n: 2},
	"select-parked":   {fn: selectParked, n: 2},
	"select-behind":   {fn: selectBehind, n: 1},
	"ctx-cancel":      {fn: ctxCancel, n: 1},
	"ctx-timeout":     {fn: ctxTimeout, n: 1},
	"ctx-value":       {fn: ctxValue, n: 10},
	"ctx-err":         {fn: ctxErr, n: 1},
	"ctx-done":        {fn: ctxDone, n: 1},
	"ctx-add-1000":    {fn: ctxAdd, n: 1000, byN: true},
	"ctx-fall-1000":   {fn: ctxFall, n: 1000, byN: true},
	"ctx-add-100k":    {fn: ctxAdd, n: 100000, byN: true},
	"ctx-fall-100k":   {fn: ctxFall, n: 100000, byN: true},
	"ctx-chain":       {fn: ctxChain, n: 1000, byN: true},
	"ctx-sibling":     {fn: ctxSibling, n: 1},
	"timer":           {fn: timer, n: 1},
	"wg":              {fn: waitGroup, n: 1},
	"errgroup":        {fn: errGroup, n: 1000, byN: true},
	"go-join":         {fn: goJoin, n: 10000, byN: true},
	"spread":          {fn: spread, n: 1},
	"yield":           {fn: yield, n: 2},
	"sieve":           {fn: sieve, n: 1000},
	"memory":          {fn: memory, n: 2000, unit: "B"},
	"idle":            {fn: idle, n: 1000, unit: "us"},
}
