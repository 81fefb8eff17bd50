// SPDX-License-Identifier: BSD-3-Clause

//! The group "edges": a row sets a scene and takes figures for a given time,
//! as bench/edge.h says.

use crossbeam_channel::{after, bounded, select, Receiver, Sender};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const US: u64 = 1_000;
const MS: u64 = 1_000_000;

fn ns(d: Duration) -> i64 {
    d.as_nanos() as i64
}

pub struct Run {
    n: usize,
    began: Instant,
    budget: Duration,
    figures: Vec<i64>,
}

impl Run {
    fn more(&self) -> bool {
        let few = self.figures.len() < 100_000;
        self.figures.is_empty() || few && self.began.elapsed() < self.budget
    }

    fn percentile(&self, p: usize) -> i64 {
        self.figures[(self.figures.len() * p + 99) / 100 - 1]
    }
}

fn spin(ns: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_nanos(ns) {}
}

fn nap(ns: u64) {
    thread::sleep(Duration::from_nanos(ns));
}

/// A thread that is woken, and says when it ran, since an instant.
struct Other {
    origin: Instant,
    ran: Arc<AtomicI64>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Other {
    fn start(rx: Receiver<u64>) -> Other {
        let origin = Instant::now();
        let ran = Arc::new(AtomicI64::new(0));
        let its = ran.clone();
        let thread = thread::spawn(move || loop {
            let got = rx.recv();
            its.store(ns(origin.elapsed()), SeqCst);
            if got.is_err() {
                break;
            }
        });
        Other {
            origin,
            ran,
            thread: Some(thread),
        }
    }

    /// Computes; how long after start the other ran.
    fn compute_and_take(&self, r: &mut Run, start: i64) {
        spin(2 * MS);
        while self.ran.load(SeqCst) == 0 {
            nap(20 * US);
        }
        r.figures.push(self.ran.swap(0, SeqCst) - start);
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

fn wake_send(r: &mut Run) {
    let (tx, rx) = bounded::<u64>(0);
    let other = Other::start(rx);
    while r.more() {
        nap(MS);
        let start = ns(other.origin.elapsed());
        tx.send(1).unwrap();
        other.compute_and_take(r, start);
    }
    drop(tx);
}

fn wake_close(r: &mut Run) {
    while r.more() {
        let (tx, rx) = bounded::<u64>(0);
        let other = Other::start(rx);
        nap(MS);
        let start = ns(other.origin.elapsed());
        drop(tx);
        other.compute_and_take(r, start);
    }
}

fn try_both(tx: Sender<u64>, rx: Receiver<u64>, over: Arc<AtomicBool>) -> i64 {
    let mut n = 0;
    while !over.load(SeqCst) {
        let _ = tx.try_send(1);
        let _ = rx.try_recv();
        n += 1;
    }
    n
}

fn try_storm(r: &mut Run) {
    let (tx, rx) = bounded::<u64>(1024);
    (0..512).for_each(|i| tx.send(i).unwrap());
    while r.more() {
        let over = Arc::new(AtomicBool::new(false));
        let start = Instant::now();
        let parties: Vec<_> = (0..r.n)
            .map(|_| {
                let (tx, rx, over) = (tx.clone(), rx.clone(), over.clone());
                thread::spawn(move || try_both(tx, rx, over))
            })
            .collect();
        nap(50 * MS);
        over.store(true, SeqCst);
        let total: i64 = parties.into_iter().map(|p| p.join().unwrap()).sum();
        r.figures.push(ns(start.elapsed()) / total.max(1));
    }
}

/// 1000 messages from this thread to another a figure: ns a message.
fn main_to_other(r: &mut Run) {
    let (tx, rx) = bounded::<u64>(r.n);
    let other = thread::spawn(move || for _ in rx {});
    while r.more() {
        let start = Instant::now();
        (0..1000).for_each(|i| tx.send(i).unwrap());
        r.figures.push(ns(start.elapsed()) / 1000);
    }
    drop(tx);
    other.join().unwrap();
}

fn after_0(r: &mut Run) {
    while r.more() {
        let start = Instant::now();
        after(Duration::ZERO).recv().unwrap();
        r.figures.push(ns(start.elapsed()));
    }
}

/// Millionths in which the first of two is chosen.
fn after_0_twice(r: &mut Run) {
    let (mut first, mut all) = (0, 0);
    while all < 100_000 && r.began.elapsed() < r.budget {
        let (a, b) = (after(Duration::ZERO), after(Duration::ZERO));
        select! {
            recv(a) -> _ => first += 1,
            recv(b) -> _ => (),
        }
        all += 1;
    }
    r.figures.push(first * 1_000_000 / all.max(1));
}

/// How late a timer is seen by who asks for it all the time.
fn timer_asked(r: &mut Run) {
    const WAIT: Duration = Duration::from_micros(200);
    while r.more() {
        let due = Instant::now() + WAIT;
        let timer = after(WAIT);
        while timer.try_recv().is_err() {}
        r.figures.push(ns(due.elapsed()));
    }
}

pub struct Edge {
    pub name: &'static str,
    run: fn(&mut Run),
    n: usize,
    p99: bool,
}

const fn edge(
    name: &'static str,
    run: fn(&mut Run),
    n: usize,
    p99: bool,
) -> Edge {
    Edge { name, run, n, p99 }
}

pub const EDGES: &[Edge] = &[
    edge("wake-send", wake_send, 0, true),
    edge("wake-close", wake_close, 0, true),
    edge("main-wake-send", wake_send, 0, true),
    edge("main-wake-close", wake_close, 0, true),
    edge("try-storm-4", try_storm, 4, false),
    edge("try-storm-64", try_storm, 64, false),
    edge("main-send-0", main_to_other, 0, false),
    edge("main-send-16", main_to_other, 16, false),
    edge("gchmain-send-0", main_to_other, 0, false),
    edge("gchmain-send-16", main_to_other, 16, false),
    edge("timer-asked", timer_asked, 0, true),
    edge("after-0", after_0, 0, true),
    edge("after-0-twice", after_0_twice, 0, false),
];

/// rustbench edges list, or rustbench edges ROW MS
pub fn main(args: &[String]) {
    if args.len() == 1 && args[0] == "list" {
        EDGES.iter().for_each(|e| println!("{}", e.name));
        return;
    }
    let e = EDGES
        .iter()
        .find(|e| args.len() == 2 && e.name == args[0])
        .expect("usage: rustbench edges list | edges ROW MS");
    let mut r = Run {
        n: e.n,
        began: Instant::now(),
        budget: Duration::from_millis(args[1].parse().unwrap()),
        figures: Vec::with_capacity(100_000),
    };
    (e.run)(&mut r);
    r.figures.sort_unstable();
    print!("{{\"figures\": {}, ", r.figures.len());
    print!("\"value\": {}, ", r.percentile(50));
    if e.p99 {
        print!("\"p99\": {}, ", r.percentile(99));
    }
    println!("\"worst\": {}}}", r.percentile(100));
}
