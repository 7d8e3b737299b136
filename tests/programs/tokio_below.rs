//! `#[tokio::main]` below `#[traced_app]`.

use spandrel::{span, traced_app};

#[traced_app("tokio-below")]
#[tokio::main(flavor = "current_thread")]
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
