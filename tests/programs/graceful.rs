//! A program that answers SIGTERM itself: it finishes its work and returns.

use std::time::Duration;

use spandrel::{span, traced_app};
use tokio::signal::unix::{SignalKind, signal};

#[traced_app("graceful", grace("30s"), flush("2s"))]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    println!("waiting");
    terminate.recv().await;
    finish().await;
    Ok(())
}

#[span("finish")]
async fn finish() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}
