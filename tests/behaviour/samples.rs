//! What fails, waits and is traced in the tests.

use spandrel::span;

/// How a span is marked by the error of [`check`], and the event of that.
pub(crate) const BAD: &str = "error.type=\"alloc::string::String\" ✗ bad";
pub(crate) const EVENT: &str =
    "• exception exception.type=\"alloc::string::String\" exception.message=\"bad\"\n";

pub(crate) fn check(good: bool) -> Result<u32, String> {
    if good { Ok(7) } else { Err("bad".to_owned()) }
}

/// The value, after a turn of the executor.
pub(crate) async fn later<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

#[span]
pub(crate) fn child() {}
