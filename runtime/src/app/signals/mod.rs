//! SIGTERM, SIGINT, SIGHUP and SIGQUIT. A program that handles the signal ends when it wants to; one that
//! does not is flushed, and then dies of the signal as it would have without us.

pub(super) mod handler;
mod shutdown_signal;
mod waiting;
pub(super) mod watch;

pub use shutdown_signal::shutdown_signal;
pub use waiting::ShutdownSignal;
