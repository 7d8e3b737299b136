//! The current trace, taken along into tasks and threads.

use opentelemetry::context::{FutureExt, WithContext};

use crate::context;

/// Futures that take the current trace along, into a task that is spawned for example.
///
/// ```
/// use spandrel::{InCurrentTrace, span, testing::record_async};
///
/// #[span]
/// async fn work() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #[span]
/// async fn handle() {
///     let task = tokio::spawn(work().in_current_trace());
///     task.await.expect("it does not panic");
/// }
///
/// assert_eq!(record_async(handle()).await.to_string(), "handle\n└─ work\n");
/// # }
/// ```
pub trait InCurrentTrace: Future + Sized {
    /// The future, polled in the context that is current now: under the current span, with its baggage.
    fn in_current_trace(self) -> WithContext<Self> {
        self.with_context(context::current())
    }
}

impl<F: Future> InCurrentTrace for F {}

/// The closure, run in the context that is current now wherever it is called: in a thread, in a
/// thread pool.
///
/// ```
/// use spandrel::{carry, span, testing::record};
///
/// #[span]
/// fn work() {}
///
/// #[span]
/// fn handle() {
///     std::thread::spawn(carry(work)).join().expect("it does not panic");
/// }
///
/// assert_eq!(record(handle).to_string(), "handle\n└─ work\n");
/// ```
pub fn carry<T>(body: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = context::current();
    move || {
        let _attached = context::attach(context);
        body()
    }
}
