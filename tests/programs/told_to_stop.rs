//! A program that waits for `shutdown_signal`, works on for a moment, and returns.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use spandrel::{Config, shutdown_signal, span};

fn main() {
    let seconds = |index| std::env::args().nth(index).and_then(|text| text.parse().ok());
    let (grace, works_on): (f64, f64) = (seconds(1).unwrap_or(5.0), seconds(2).unwrap_or(0.0));
    let config = Config::new("told-to-stop").grace(Duration::from_secs_f64(grace));
    let app = spandrel::install(config.flush(Duration::from_secs_f64(grace * 0.8)));
    let forgotten = Arc::new(Forgotten);
    let waker = Waker::from(forgotten.clone());
    let mut shutdown = Box::pin(shutdown_signal());
    assert!(shutdown.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((shutdown, waker));
    assert_eq!(Arc::strong_count(&forgotten), 1);
    println!("waiting");
    futures::executor::block_on(shutdown_signal());
    futures::executor::block_on(shutdown_signal());
    work(Duration::from_secs_f64(works_on));
    let started = Instant::now();
    drop(app);
    println!("{}", started.elapsed().as_millis());
    std::process::exit(7);
}

/// A task that has lost interest.
struct Forgotten;

impl Wake for Forgotten {
    fn wake(self: Arc<Self>) {}
}

#[span("work")]
fn work(time: Duration) {
    std::thread::sleep(time);
}
