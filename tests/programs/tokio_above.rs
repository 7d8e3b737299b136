//! `#[tokio::main]` above `#[traced_app]`.

use spandrel::{span, traced_app};

#[tokio::main]
#[traced_app("tokio-above")]
async fn main() -> Result<(), String> {
    tokio::spawn(forever());
    work().await
}

#[span]
async fn work() -> Result<(), String> {
    tokio::task::yield_now().await;
    Err("async failure".to_owned())
}

#[span]
async fn forever() {
    std::future::pending::<()>().await;
}
