//! Programs as processes of their own, against a collector on the loopback interface: what
//! arrives when they return, fail, panic and are killed.

mod collector;
mod endings;
mod environment;
mod logs;
mod nesting;
mod process;
mod tls;
