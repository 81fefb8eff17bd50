// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// What an echo row's arg says, as in bench/io_echo.c.
const (
	overTCP = 1 << iota
	big
	trip
	busy
)

const (
	warm   = 50 * ms
	window = 20 * ms
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fdConn is a connection of a socket's descriptor.
func fdConn(fd int) net.Conn {
	f := os.NewFile(uintptr(fd), "socket")
	c, err := net.FileConn(f)
	must(err)
	f.Close()
	return c
}

func unixPair() (client, server net.Conn) {
	fd, err := syscall.Socketpair(syscall.AF_UNIX,
		syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(err)
	return fdConn(fd[0]), fdConn(fd[1])
}

func tcpPair(l net.Listener) (client, server net.Conn) {
	client, err := net.Dial("tcp", l.Addr().String())
	must(err)
	server, err = l.Accept()
	must(err)
	return client, server
}

type echoPair struct {
	client, server net.Conn
	trips          int64
	took           []int64
	taken          int
	_              [64]byte
}

type echo struct {
	pairs       []echoPair
	size        int
	timed, over int32
	wg          sync.WaitGroup
}

func (e *echo) isOver() bool { return atomic.LoadInt32(&e.over) != 0 }

func (e *echo) talk(p *echoPair) {
	defer e.wg.Done()
	buf := make([]byte, e.size)
	for !e.isOver() {
		var left time.Time
		timed := atomic.LoadInt32(&e.timed) != 0
		if timed {
			left = time.Now()
		}
		_, err := p.client.Write(buf)
		must(err)
		_, err = io.ReadFull(p.client, buf)
		must(err)
		atomic.StoreInt64(&p.trips, p.trips+1)
		if timed {
			p.took[p.taken%len(p.took)] = int64(time.Since(left))
			p.taken++
		}
	}
	p.client.Close()
}

func (e *echo) answer(p *echoPair) {
	defer e.wg.Done()
	buf := make([]byte, 4096)
	for {
		n, err := p.server.Read(buf)
		if err != nil {
			break
		}
		_, err = p.server.Write(buf[:n])
		must(err)
	}
	p.server.Close()
}

func (e *echo) trips() (sum int64) {
	for i := range e.pairs {
		sum += atomic.LoadInt64(&e.pairs[i].trips)
	}
	return sum
}

func (e *echo) takeWindows(r *edgeRun) {
	for r.more() {
		start, before := time.Now(), e.trips()
		time.Sleep(window)
		if after := e.trips(); after > before {
			r.take(time.Since(start) / time.Duration(after-before))
		} else {
			r.take(time.Since(start))
		}
	}
}

// timeTrips lasts until each has come round, however slow the machine is.
func (e *echo) timeTrips(r *edgeRun) {
	before := e.trips()
	atomic.StoreInt32(&e.timed, 1)
	time.Sleep(r.budget)
	for e.trips() < before+2*int64(r.n) {
		time.Sleep(r.budget)
	}
}

func (e *echo) takeTrips(r *edgeRun) {
	for i := range e.pairs {
		p := &e.pairs[i]
		for k := 0; k < p.taken && k < len(p.took); k++ {
			r.take(time.Duration(p.took[k]))
		}
	}
}

func (e *echo) connect(r *edgeRun) {
	dial := unixPair
	if r.arg&overTCP != 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		defer l.Close()
		dial = func() (client, server net.Conn) { return tcpPair(l) }
	}
	for i := range e.pairs {
		p := &e.pairs[i]
		p.client, p.server = dial()
		p.took = make([]int64, cap(r.figures)/r.n)
	}
}

func (e *echo) compute() {
	defer e.wg.Done()
	for !e.isOver() {
		spin(20 * us)
	}
}

func echoRow(r *edgeRun) {
	e := &echo{pairs: make([]echoPair, r.n), size: 1}
	if r.arg&big != 0 {
		e.size = 4096
	}
	e.connect(r)
	e.wg.Add(2 * r.n)
	for i := range e.pairs {
		go e.answer(&e.pairs[i])
		go e.talk(&e.pairs[i])
	}
	for i := 0; r.arg&busy != 0 && i < 2; i++ {
		e.wg.Add(1)
		go e.compute()
	}
	time.Sleep(warm)
	r.began = time.Now()
	if r.arg&trip != 0 {
		e.timeTrips(r)
	} else {
		e.takeWindows(r)
	}
	atomic.StoreInt32(&e.over, 1)
	e.wg.Wait()
	e.takeTrips(r)
}

var echoEdges = func() map[string]edge {
	rows := map[string]edge{}
	for _, x := range []struct {
		name string
		n    int
		arg  time.Duration
	}{
		{"1", 1, 0}, {"16", 16, 0}, {"128", 128, 0}, {"512", 512, 0},
		{"4k-1", 1, big}, {"4k-128", 128, big},
		{"tcp-100", 100, overTCP}, {"tcp-1000", 1000, overTCP},
	} {
		rows["echo-"+x.name] = edge{fn: echoRow, n: x.n, arg: x.arg}
		rows["trip-"+x.name] = edge{fn: echoRow, n: x.n, arg: x.arg | trip,
			p99: true}
		rows["busy-"+x.name] = edge{fn: echoRow, n: x.n,
			arg: x.arg | trip | busy, p99: true}
	}
	return rows
}()
