//! `shutdown_signal`: SIGTERM and SIGINT, as a future.

use super::handler;
use super::waiting::ShutdownSignal;
use super::watch::ensure_watching;
use crate::app::fork::after_fork;

/// A future that completes when the program receives SIGTERM or SIGINT. If one arrived after the first call of
/// this function, the future completes at once. It works on any async runtime, and without telemetry too.
///
/// From the first call on, the program handles these two signals: it may take as long as it likes to
/// finish its work, and ends when `main` returns. Telemetry never ends it. A second SIGTERM or SIGINT that
/// arrives at least half a second after the first ends the program at once, unless the program has a handler of
/// its own beside this one. A parent that passes SIGINT on to its children should start them in a process group
/// of their own, since a terminal sends SIGINT to them as well.
///
/// Spans that end after the signal are exported at once, and the last flush, when `main` returns, takes no
/// longer than what is left of [`Config::grace`](crate::Config::grace), where that is set.
///
/// ```no_run
/// # async fn serve() {}
/// # async fn example() {
/// tokio::select! {
///     () = serve() => {}
///     () = spandrel::shutdown_signal() => println!("stopping"),
/// }
/// # }
/// ```
pub fn shutdown_signal() -> ShutdownSignal {
    after_fork();
    handler::set_awaited();
    if ensure_watching() {
        handler::SIGNALS
            .into_iter()
            .filter(|signal| handler::is_stop(*signal))
            .for_each(handler::install);
    }
    ShutdownSignal::default()
}
