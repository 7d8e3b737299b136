//! Attributes in the encoding of OTLP, which is that of Protocol Buffers: how they are written, limited, and read.

mod key;
mod keys;
mod limits;
mod read;
mod value;
mod wire;

pub use key::Key;
pub(crate) use keys::{Keys, hash};
pub(crate) use limits::Limits;
pub(crate) use read::{attributes, key_value, text};
pub(crate) use value::{ValueRef, write_attribute};
pub(crate) use wire::*;
