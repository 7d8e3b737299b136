//! How to do what services do. These modules are documentation only.

#[doc = include_str!("../docs/guide/http.md")]
pub mod http {}

#[doc = include_str!("../docs/guide/messages.md")]
pub mod messages {}
