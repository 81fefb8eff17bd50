// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const reads = 200 // a figure

// readyPair has a connection and the descriptor of its other end.
func readyPair() (in net.Conn, out int) {
	fd, err := syscall.Socketpair(syscall.AF_UNIX,
		syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(err)
	return fdConn(fd[0]), fd[1]
}

// readsOf is the time of 200 reads, each with the write before it.
func readsOf(out int, read func(buf []byte) (int, error)) time.Duration {
	buf := make([]byte, 1)
	start := time.Now()
	for i := 0; i < reads; i++ {
		_, err := syscall.Write(out, buf)
		must(err)
		_, err = read(buf)
		must(err)
	}
	return time.Since(start)
}

func ready(r *edgeRun) {
	in, out := readyPair()
	for r.more() {
		r.take(readsOf(out, in.Read) / reads)
	}
}

func readyOver(r *edgeRun) {
	in, out := readyPair()
	raw, err := in.(syscall.Conn).SyscallConn()
	must(err)
	must(raw.Control(func(fd uintptr) {
		plain := func(buf []byte) (int, error) {
			return syscall.Read(int(fd), buf)
		}
		for r.more() {
			byGo := readsOf(out, in.Read)
			r.take((byGo - readsOf(out, plain)) / reads)
		}
	}))
}

func greetAll(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			conn.Write([]byte{0})
			conn.Close()
		}()
	}
}

func accepting(r *edgeRun) {
	var served, over int64
	var wg sync.WaitGroup
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go greetAll(l)
	visit := func() {
		defer wg.Done()
		for buf := make([]byte, 1); atomic.LoadInt64(&over) == 0; {
			conn, err := net.Dial("tcp", l.Addr().String())
			must(err)
			_, err = io.ReadFull(conn, buf)
			must(err)
			if _, err = conn.Read(buf); err != io.EOF {
				panic(err)
			}
			conn.Close()
			atomic.AddInt64(&served, 1)
		}
	}
	wg.Add(r.n)
	for i := 0; i < r.n; i++ {
		go visit()
	}
	time.Sleep(r.arg)
	for r.more() {
		before, start := atomic.LoadInt64(&served), time.Now()
		time.Sleep(r.arg)
		if n := atomic.LoadInt64(&served) - before; n > 0 {
			r.take(time.Since(start) / time.Duration(n))
		} else {
			r.take(time.Since(start))
		}
	}
	atomic.StoreInt64(&over, 1)
	wg.Wait()
	l.Close()
}

func idleBytes(r *edgeRun) {
	var reading int64
	var wg sync.WaitGroup
	gate := make(chan struct{})
	far := make([]int, r.n)
	wg.Add(r.n)
	for i := range far {
		fd, err := syscall.Socketpair(syscall.AF_UNIX,
			syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		must(err)
		far[i] = fd[1]
		go func() {
			defer wg.Done()
			<-gate
			conn := fdConn(fd[0])
			atomic.AddInt64(&reading, 1)
			conn.Read(make([]byte, 1))
			conn.Close()
		}()
	}
	time.Sleep(100 * ms)
	before := residentNow()
	close(gate)
	for atomic.LoadInt64(&reading) < int64(r.n) {
		time.Sleep(ms)
	}
	time.Sleep(100 * ms)
	r.take(time.Duration((residentNow() - before) / int64(r.n)))
	for _, fd := range far {
		syscall.Close(fd)
	}
	wg.Wait()
}

var callEdges = map[string]edge{
	"accept":     {fn: accepting, n: 8, arg: 20 * ms},
	"ready":      {fn: ready},
	"ready-over": {fn: readyOver},
	"idle-bytes": {fn: idleBytes, n: 4000},
}
