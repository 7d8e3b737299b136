//! A program that flushes, and prints what came of it.

use std::time::{Duration, Instant};

use spandrel::{Config, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let config = Config::new("flushes").flush(Duration::from_millis(500));
    let app = spandrel::install(config);
    work();
    match how.as_str() {
        "forever" => println!("{}", spandrel::flush(Duration::MAX)),
        // Nothing is exported after the flush.
        "abort" => {
            println!("{}", spandrel::flush(Duration::from_secs(1)));
            std::process::abort();
        }
        // Time runs out, and the program goes on for a while.
        "hurry" => {
            println!("{}", spandrel::flush(Duration::from_millis(200)));
            std::thread::sleep(Duration::from_secs(6));
        }
        // What was refused before the flush is told by the flush, once.
        "refused" => {
            wait_until(|| spandrel::stats().waiting == 0);
            for _ in 0..2 {
                let flushed = spandrel::flush(Duration::from_secs(20));
                println!(
                    "{flushed}: {} {} {}",
                    flushed.is_complete(),
                    flushed.lost,
                    flushed.timed_out
                );
            }
        }
        "async" => {
            // On no runtime at all, and the thread is free meanwhile.
            let flushed = spandrel::flush_async(Duration::from_secs(20));
            println!("{}", futures::executor::block_on(flushed));
        }
        // The queue overflows, is empty again, and overflows again.
        "overflows" => {
            for _ in 0..2 {
                (0..1000).for_each(|_| work());
                wait_until(|| spandrel::stats().waiting == 0);
                std::thread::sleep(Duration::from_millis(1500));
            }
        }
        // A span of more bytes than may wait, and one that is too large for a request once it is JSON.
        "huge" => huge(&"x".repeat(65 << 20)),
        "huge in JSON" => {
            huge(&"\"".repeat(40 << 20));
            println!("{}", spandrel::flush(Duration::from_mins(1)));
        }
        "balance" => balance(),
        other => panic!("unknown: {other}"),
    }
    drop(app);
}

fn wait_until(condition: impl Fn() -> bool) {
    let waiting = Instant::now();
    while !condition() && waiting.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The account adds up at every moment, while several threads record.
fn balance() {
    let end = Instant::now() + Duration::from_secs(1);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while Instant::now() < end {
                    work();
                }
            });
        }
        let mut looks = 0;
        while Instant::now() < end {
            let all = spandrel::stats();
            let sum = all.exported + all.dropped + all.failed + all.waiting;
            assert_eq!(all.accepted, sum, "{all:?}");
            looks += 1;
        }
        println!("{}", looks > 100);
    });
}

#[span("work")]
fn work() {}

#[span("huge", text = text)]
fn huge(text: &str) {}
