//! The life of telemetry in a program: set up before its first line, flushed after its last.

mod app_type;
mod exit;
mod flush;
mod fork;
mod install;
mod pipeline;
mod resource;
mod running_app;
mod sampling;
mod shutdown;
#[cfg(unix)]
mod signals;
mod state;
mod stopping;

pub use app_type::{SetUp, tear_down};
pub use flush::{flush, flush_async};
pub use fork::{after_fork, stats};
pub use install::{AppGuard, install};
pub use sampling::{sampling, set_sampling};
#[cfg(unix)]
pub use signals::{ShutdownSignal, shutdown_signal};
