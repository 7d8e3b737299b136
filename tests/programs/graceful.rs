//! A program that answers SIGTERM itself: it finishes its work, longer than it is waited for with
//! the flush, and returns.

use std::time::Duration;

use spandrel::{span, traced_app};
use tokio::signal::unix::{SignalKind, signal};

#[traced_app("graceful", grace("60s"), flush("59s"))]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    println!("waiting");
    terminate.recv().await;
    quick().await;
    slow().await;
    Ok(())
}

#[span("quick")]
async fn quick() {
    tokio::task::yield_now().await;
}

#[span("slow")]
async fn slow() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}
