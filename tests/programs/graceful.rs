//! A program that handles SIGTERM itself: it finishes its work, which takes longer than its grace period, and
//! returns.

use std::time::Duration;

use spandrel::{span, traced_app};
use tokio::signal::unix::{SignalKind, signal};

#[traced_app("graceful", grace("1s"), flush("500ms"))]
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
