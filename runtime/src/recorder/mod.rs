//! How a span becomes bytes: records of ended spans, in the encoding of OTLP, and back.

mod batch;
mod decode;
mod encode;
mod limits;
mod scope;
#[cfg(test)]
pub(crate) mod tests;
mod value;
mod wire;

pub(crate) use batch::Batch;
#[cfg(feature = "_otlp")]
pub(crate) use encode::write_scope;
#[cfg(feature = "_otlp")]
pub(crate) use limits::Limits;
#[cfg(feature = "_otlp")]
pub(crate) use scope::ScopeId;
#[cfg(feature = "_otlp")]
pub(crate) use value::write_attribute;
#[cfg(feature = "_otlp")]
pub(crate) use wire::{Writer, field_length};
