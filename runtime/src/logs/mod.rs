//! Log lines on standard error, with the ids of their trace.

#[cfg(feature = "logs")]
mod event;
mod exception;
#[cfg(feature = "logs")]
mod library;
mod line;
#[cfg(feature = "logs")]
mod subscriber;

pub(crate) use exception::exception;
#[cfg(feature = "logs")]
pub(crate) use subscriber::Logs;
