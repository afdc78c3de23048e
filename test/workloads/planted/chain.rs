// SPDX-License-Identifier: Apache-2.0
//! Rust: the chain goes through a trait object and a closure. `chain SECONDS TRUTH`. The truth is that of planted.h.
use std::cell::Cell;
use std::io::Write;

/// std::hint::black_box, which Debian's Rust 1.63 calls unstable: a value that the compiler knows nothing of.
#[inline(always)]
fn black_box<T>(value: T) -> T {
    let value = std::mem::ManuallyDrop::new(value);
    unsafe { std::ptr::read_volatile(&*value) }
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, now: *mut Timespec) -> i32;
}

const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
const UNIT: u64 = 200_000;

fn cpu_ns() -> u64 {
    let mut now = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `now` lives through the call.
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut now) };
    now.seconds as u64 * 1_000_000_000 + now.nanoseconds as u64
}

thread_local! {
    static SEED: Cell<u64> = const { Cell::new(88_172_645_463_325_252) };
    static NS: Cell<[u64; 5]> = const { Cell::new([0; 5]) };
}

fn random() -> u64 {
    SEED.with(|seed| {
        let mut value = seed.get();
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        seed.set(value);
        value
    })
}

macro_rules! work {
    // Each adds a number of its own: functions that are the same become one.
    ($($name:ident $own:literal),*) => {$(
        #[inline(never)]
        fn $name(units: u64) -> u64 {
            let mut sum = units;
            for _ in 0..units * UNIT {
                sum = black_box(sum).wrapping_mul(6_364_136_223_846_793_005).wrapping_add($own);
            }
            sum
        }
    )*};
}

work!(planted_alpha 1, planted_beta 3, planted_gamma 5, planted_delta 7, planted_epsilon 9);

type Planted = (&'static str, fn(u64) -> u64, u64);
const FUNCTIONS: [Planted; 5] = [
    ("planted_alpha", planted_alpha, 40),
    ("planted_beta", planted_beta, 25),
    ("planted_gamma", planted_gamma, 18),
    ("planted_delta", planted_delta, 12),
    ("planted_epsilon", planted_epsilon, 5),
];

#[inline(never)]
fn level_30(n: u64) -> u64 {
    let mut drawn = random() % 100;
    let mut chosen = 0;
    while drawn >= FUNCTIONS[chosen].2 {
        drawn -= FUNCTIONS[chosen].2;
        chosen += 1;
    }
    let before = cpu_ns();
    let got = FUNCTIONS[chosen].1(1 + random() % 5);
    let took = cpu_ns() - before;
    NS.with(|all| {
        let mut ns = all.get();
        ns[chosen] += took;
        all.set(ns);
    });
    got ^ n
}

macro_rules! levels {
    ($($name:ident $next:ident),*) => {$(
        #[inline(never)]
        fn $name(n: u64) -> u64 {
            // Not the last thing that it does, so that it is no jump.
            black_box($next(black_box(n + 1))) + 1
        }
    )*};
}

levels!(
    level_29 level_30, level_28 level_29, level_27 level_28, level_26 level_27, level_25 level_26, level_24 level_25,
    level_23 level_24, level_22 level_23, level_21 level_22, level_20 level_21, level_19 level_20, level_18 level_19,
    level_17 level_18, level_16 level_17, level_15 level_16, level_14 level_15, level_13 level_14, level_12 level_13,
    level_11 level_12, level_10 level_11, level_09 level_10, level_08 level_09, level_07 level_08, level_06 level_07,
    level_05 level_06, level_04 level_05, level_03 level_04, level_02 level_03, level_01 level_02
);

trait Visit {
    fn visit_trait(&self, n: u64) -> u64;
}

struct Visitor(String);

impl Visit for Visitor {
    #[inline(never)]
    fn visit_trait(&self, n: u64) -> u64 {
        level_01(n) ^ self.0.len() as u64
    }
}

#[inline(never)]
fn drive(visitor: &dyn Visit, until: u64) {
    let mut sum = 0;
    while cpu_ns() < until {
        sum ^= black_box(visitor).visit_trait(sum & 7);
    }
    black_box(sum);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds: f64 = arguments[1].parse().expect("seconds");
    drive(black_box(&Visitor(arguments[0].clone())), (seconds * 1e9) as u64);
    let mut truth = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&arguments[2])
        .expect("the file of the truth");
    let levels: Vec<String> = (1..=30).map(|level| format!("level_{level:02}")).collect();
    writeln!(truth, "chain main drive visit_trait {}", levels.join(" ")).expect("written");
    for ((name, _, _), ns) in FUNCTIONS.iter().zip(NS.with(Cell::get)) {
        writeln!(truth, "total {name} {ns}").expect("written");
    }
}
