// SPDX-License-Identifier: BSD-3-Clause

//! The bench's rows for crossbeam's channels, one operation being just what it
//! is in the C files of the same names.
//!
//!     rustbench list              the rows, one a line
//!     rustbench ROW OPS MS        one sample; OPS 0: as many as take MS
//!     rustbench edges …           the same for the group "edges"

mod edges;
mod rows;

use rows::ROWS;
use std::time::Instant;

/// One sample: what is between begin and end is measured.
pub struct Run {
    pub ops: usize,
    pub n: usize,
    pub cap: usize,
    wall: f64,
    cpu: f64,
    began: Instant,
}

pub struct Row {
    pub name: &'static str,
    pub run: fn(&mut Run),
    pub cap: usize,
    pub n: usize,
    pub by_n: bool, // operations come n at a time
}

#[repr(C)]
struct Timespec {
    sec: std::os::raw::c_long,
    nsec: std::os::raw::c_long,
}

extern "C" {
    fn clock_gettime(clock: i32, t: *mut Timespec) -> i32;
}

/// User and system time of the process, in nanoseconds.
fn cpu_time() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut t = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.sec as f64 * 1e9 + t.nsec as f64
}

impl Run {
    pub fn begin(&mut self) {
        self.cpu -= cpu_time();
        self.began = Instant::now();
    }

    pub fn end(&mut self) {
        self.wall += self.began.elapsed().as_nanos() as f64;
        self.cpu += cpu_time();
    }
}

impl Row {
    fn whole(&self, ops: f64) -> usize {
        let unit = if self.by_n { self.n } else { 1 };
        ((ops / unit as f64).ceil() as usize).max(1) * unit
    }

    fn work(&self, ops: usize) -> (Run, f64) {
        let start = Instant::now();
        let mut r = Run {
            ops,
            n: self.n,
            cap: self.cap,
            wall: 0.0,
            cpu: 0.0,
            began: start,
        };
        (self.run)(&mut r);
        (r, start.elapsed().as_nanos() as f64)
    }

    /// Does as that of bench/sample.c.
    fn calibrate(&self, target: f64) -> usize {
        let mut best = target;
        let mut ops = self.whole(1.0);
        let mut slow = 0;
        while slow < 2 {
            let (r, all) = self.work(ops);
            let all = all / 4.0;
            best = best.min((r.wall.max(all) + 1.0) / ops as f64);
            if r.wall >= target / 8.0 || all >= target / 2.0 {
                slow += 1;
            } else {
                ops = self.whole(4.0 * ops as f64);
            }
        }
        self.whole(target / best)
    }

    fn sample(&self, mut ops: usize, target: f64) {
        if ops == 0 {
            ops = self.calibrate(target);
        } else {
            self.work(self.whole(ops as f64 / 10.0));
        }
        let (r, _) = self.work(ops);
        println!(
            "{{\"ops\": {}, \"value\": {:.2}, \"cpu\": {:.2}}}",
            ops,
            r.wall / ops as f64,
            r.cpu / ops as f64
        );
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() == 2 && args[1] == "list" {
        ROWS.iter().for_each(|row| println!("{}", row.name));
        return;
    }
    if args.len() > 1 && args[1] == "edges" {
        return edges::main(&args[2..]);
    }
    let row = ROWS
        .iter()
        .find(|row| args.len() == 4 && row.name == args[1]);
    let row = row.expect("usage: rustbench list | ROW OPS MS");
    // One that sleeps, as in the C bench.
    std::thread::spawn(|| loop {
        std::thread::park()
    });
    row.sample(
        args[2].parse().unwrap(),
        args[3].parse::<f64>().unwrap() * 1e6,
    );
}
