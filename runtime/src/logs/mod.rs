//! Log lines on standard error, with the ids of their trace.

#[cfg(feature = "logs")]
mod event;
mod exception;
mod line;
#[cfg(feature = "logs")]
mod subscriber;
#[cfg(feature = "logs")]
mod tracing_layer;

pub(crate) use exception::exception;
#[cfg(feature = "logs")]
pub(crate) use subscriber::Logs;
