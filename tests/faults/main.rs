//! Programs as processes of their own, against a collector on the loopback interface: what
//! arrives when they return, fail, panic and are killed, and when it is the collector that fails.

mod collector;
mod delivery;
#[cfg(unix)]
mod destinations;
mod device;
mod endings;
mod environment;
#[cfg(unix)]
mod forks;
mod load;
mod located;
mod logs;
mod matrix;
mod nesting;
mod own_sdk;
mod process;
mod propagators;
mod redact;
mod renewed;
mod sampling;
#[cfg(target_os = "linux")]
mod signals;
mod tls;
