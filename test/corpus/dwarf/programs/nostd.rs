#![no_std]
#![no_main]
use core::hint::black_box;

struct Step {
    by: u32,
}

impl Step {
    #[inline(always)]
    fn next(&self, x: u32) -> u32 {
        x.wrapping_mul(self.by).rotate_left(3)
    }
}

#[inline(never)]
fn work(n: u32) -> u32 {
    let step = Step { by: 7 };
    (0..black_box(n)).fold(1, |sum, x| sum ^ step.next(x))
}

#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    loop {
        black_box(work(black_box(9)));
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
