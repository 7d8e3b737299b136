//! A thousand spans a second on four threads, until the main thread ends in the way its argument
//! says, in the middle of them.

use std::thread;
use std::time::Duration;

use spandrel::{span, traced_app};

#[traced_app("ticks", grace("1s"), flush("800ms"))]
fn main() -> Result<(), String> {
    for thread in 0..4 {
        thread::spawn(move || {
            for number in 0.. {
                tick(thread, number);
                thread::sleep(Duration::from_millis(3));
            }
        });
    }
    println!("waiting");
    let half_a_second = Duration::from_millis(500);
    match std::env::args().nth(1).as_deref() {
        Some("error") => {
            thread::sleep(half_a_second);
            Err("it failed".to_owned())
        }
        Some("panic") => {
            thread::sleep(half_a_second);
            panic!("it broke")
        }
        Some("wait") => {
            thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        _ => {
            thread::sleep(half_a_second);
            Ok(())
        }
    }
}

#[span("tick", thread = thread, number = number)]
fn tick(thread: u64, number: u64) {
    thread::sleep(Duration::from_millis(1));
}
