// SPDX-License-Identifier: BSD-3-Clause

use crate::{Row, Run};
use crossbeam_channel::{bounded, never, select, Receiver, Sender, TryRecvError};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

/// Keeps the compiler from leaving v out.
fn used(v: u64) -> u64 {
    unsafe { std::ptr::read_volatile(&v) }
}

fn uncontended(r: &mut Run) {
    let (tx, rx) = bounded::<u64>(r.cap);
    r.begin();
    for i in 0..r.ops {
        tx.send(i as u64).unwrap();
        used(rx.recv().unwrap());
    }
    r.end();
}

fn try_recv(r: &mut Run) {
    let (_tx, rx) = bounded::<u64>(r.cap);
    r.begin();
    for _ in 0..r.ops {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    }
    r.end();
}

/// Opens the gate at which all but this thread wait, and begins the measuring.
fn open(gate: &Barrier, r: &mut Run) {
    thread::sleep(Duration::from_millis(1));
    r.begin();
    gate.wait();
}

type Gate = Arc<Barrier>;
type Party = thread::JoinHandle<()>;

fn produce(gate: &Gate, tx: Sender<u64>, count: usize) -> Party {
    let gate = gate.clone();
    thread::spawn(move || {
        gate.wait();
        for i in 0..count {
            tx.send(i as u64).unwrap();
        }
    })
}

fn consume(gate: &Gate, rx: Receiver<u64>) -> Party {
    let gate = gate.clone();
    thread::spawn(move || {
        gate.wait();
        for v in rx {
            used(v);
        }
    })
}

fn stream(r: &mut Run) {
    let (tx, rx) = bounded::<u64>(r.cap);
    let gate = Arc::new(Barrier::new(2 * r.n + 1));
    let mut parties = Vec::new();
    for i in 0..r.n {
        parties.push(consume(&gate, rx.clone()));
        parties.push(produce(&gate, tx.clone(), (r.ops + i) / r.n));
    }
    drop(tx);
    open(&gate, r);
    for p in parties {
        p.join().unwrap();
    }
    r.end();
}

fn pingpong(r: &mut Run) {
    let (ping, ping_rx) = bounded::<u64>(0);
    let (pong_tx, pong) = bounded::<u64>(0);
    let partner = thread::spawn(move || {
        for v in ping_rx {
            pong_tx.send(v).unwrap();
        }
    });
    r.begin();
    for i in 0..r.ops {
        ping.send(i as u64).unwrap();
        used(pong.recv().unwrap());
    }
    r.end();
    drop(ping);
    partner.join().unwrap();
}

/// Who counts the last of the crowd wakes the one that waits.
struct Count {
    left: AtomicUsize,
    waiting: thread::Thread,
}

impl Count {
    fn new(n: usize) -> Arc<Count> {
        Arc::new(Count {
            left: AtomicUsize::new(n),
            waiting: thread::current(),
        })
    }

    fn done(&self) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            self.waiting.unpark();
        }
    }

    fn wait(&self) {
        while self.left.load(SeqCst) > 0 {
            thread::park();
        }
    }
}

fn close_round(r: &mut Run) {
    let (tx, rx) = bounded::<u64>(0);
    let ready = Count::new(r.n);
    let woken = Count::new(r.n);
    let leave = Arc::new(AtomicBool::new(false));
    let mut crowd = Vec::new();
    for _ in 0..r.n {
        let (rx, ready, woken) = (rx.clone(), ready.clone(), woken.clone());
        let leave = leave.clone();
        crowd.push(thread::spawn(move || {
            ready.done();
            assert!(rx.recv().is_err());
            woken.done();
            while !leave.load(SeqCst) {
                thread::park();
            }
        }));
    }
    ready.wait();
    thread::sleep(Duration::from_millis(20));
    r.begin();
    drop(tx);
    woken.wait();
    r.end();
    leave.store(true, SeqCst);
    for t in crowd {
        t.thread().unpark();
        t.join().unwrap();
    }
}

fn close_wakes(r: &mut Run) {
    for _ in 0..r.ops / r.n {
        close_round(r);
    }
}

fn select_2(r: &mut Run) {
    let (a_tx, a) = bounded::<u64>(r.cap);
    let (b_tx, b) = bounded::<u64>(r.cap);
    let gate = Arc::new(Barrier::new(3));
    let producers = [
        produce(&gate, a_tx, r.ops / 2),
        produce(&gate, b_tx, (r.ops + 1) / 2),
    ];
    open(&gate, r);
    // One that has sent all is gone: then its channel is never ready.
    let (mut a, mut b) = (a, b);
    let mut got = 0;
    while got < r.ops {
        select! {
            recv(a) -> v => match v {
                Ok(_) => got += 1,
                Err(_) => a = never(),
            },
            recv(b) -> v => match v {
                Ok(_) => got += 1,
                Err(_) => b = never(),
            },
        }
    }
    for p in producers {
        p.join().unwrap();
    }
    r.end();
}

fn select_8(r: &mut Run) {
    let ends: Vec<_> = (0..8).map(|_| bounded::<u64>(r.cap)).collect();
    let c: Vec<_> = ends.iter().map(|end| &end.1).collect();
    let gate = Arc::new(Barrier::new(9));
    let count = |i: usize| (r.ops + i) / 8;
    let producers: Vec<_> = ends
        .iter()
        .enumerate()
        .map(|(i, end)| produce(&gate, end.0.clone(), count(i)))
        .collect();
    open(&gate, r);
    for _ in 0..r.ops {
        select! {
            recv(c[0]) -> v => v.map(used),
            recv(c[1]) -> v => v.map(used),
            recv(c[2]) -> v => v.map(used),
            recv(c[3]) -> v => v.map(used),
            recv(c[4]) -> v => v.map(used),
            recv(c[5]) -> v => v.map(used),
            recv(c[6]) -> v => v.map(used),
            recv(c[7]) -> v => v.map(used),
        }
        .unwrap();
    }
    for p in producers {
        p.join().unwrap();
    }
    r.end();
}

fn worker(r: &mut Run) {
    let (tx, jobs) = bounded::<u64>(r.cap);
    let (_keep, done) = bounded::<u64>(0);
    let gate = Arc::new(Barrier::new(2));
    let producer = produce(&gate, tx, r.ops);
    open(&gate, r);
    for _ in 0..r.ops {
        select! {
            recv(jobs) -> v => used(v.unwrap()),
            recv(done) -> _ => 0,
        };
    }
    producer.join().unwrap();
    r.end();
}

fn select_default(r: &mut Run) {
    let (_a_tx, a) = bounded::<u64>(r.cap);
    let (_b_tx, b) = bounded::<u64>(r.cap);
    r.begin();
    for _ in 0..r.ops {
        select! {
            recv(a) -> v => { used(v.unwrap()); },
            recv(b) -> v => { used(v.unwrap()); },
            default => {}
        }
    }
    r.end();
}

fn select_ready(r: &mut Run) {
    let c = [bounded::<u64>(r.cap), bounded::<u64>(r.cap)];
    r.begin();
    for i in 0..r.ops {
        c[i % 2].0.send(i as u64).unwrap();
        select! {
            recv(c[0].1) -> v => used(v.unwrap()),
            recv(c[1].1) -> v => used(v.unwrap()),
        };
    }
    r.end();
}

/// Sends to a partner and awaits its answer in a select with other.
fn ask(r: &mut Run, other: Receiver<u64>) {
    let (tx, question) = bounded::<u64>(0);
    let (reply, answer) = bounded::<u64>(0);
    let partner = thread::spawn(move || {
        for v in question {
            reply.send(v).unwrap();
        }
    });
    r.begin();
    for i in 0..r.ops {
        tx.send(i as u64).unwrap();
        select! {
            recv(other) -> v => used(v.unwrap()),
            recv(answer) -> v => used(v.unwrap()),
        };
    }
    r.end();
    drop(tx);
    partner.join().unwrap();
}

fn select_parked(r: &mut Run) {
    let (_keep, other) = bounded::<u64>(0);
    ask(r, other);
}

fn select_behind(r: &mut Run) {
    let (tx, crowded) = bounded::<u64>(0);
    let other = consume(&Arc::new(Barrier::new(1)), crowded.clone());
    thread::sleep(Duration::from_millis(20));
    ask(r, crowded);
    drop(tx);
    other.join().unwrap();
}

macro_rules! row {
    ($name:expr, $run:expr, $cap:expr, $n:expr) => {
        Row {
            name: $name,
            run: $run,
            cap: $cap,
            n: $n,
            by_n: $n == 1000,
        }
    };
}

pub const ROWS: &[Row] = &[
    row!("uncontended", uncontended, 64, 1),
    row!("spsc-1", stream, 1, 1),
    row!("spsc-64", stream, 64, 1),
    row!("spsc-1024", stream, 1024, 1),
    row!("mpmc-64", stream, 64, 4),
    row!("mpmc-1024", stream, 1024, 4),
    row!("pingpong", pingpong, 0, 1),
    row!("spsc-0", stream, 0, 1),
    row!("mpmc-0", stream, 0, 4),
    row!("try-recv", try_recv, 64, 1),
    row!("close-1000", close_wakes, 0, 1000),
    row!("select-2", select_2, 64, 2),
    row!("select-8", select_8, 64, 8),
    row!("worker", worker, 64, 1),
    row!("select-default", select_default, 64, 2),
    row!("select-ready", select_ready, 1, 2),
    row!("select-parked", select_parked, 0, 2),
    row!("select-behind", select_behind, 0, 1),
];
