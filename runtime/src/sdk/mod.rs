//! Spans that an SDK of OpenTelemetry records: where the program has one of its own, or span processors.

#[cfg(feature = "app")]
pub(crate) mod custom_processor;
#[cfg(feature = "app")]
mod fit;
#[cfg(feature = "app")]
mod ids;
mod limits;
#[cfg(feature = "app")]
mod processor;
mod random;

#[cfg(feature = "app")]
pub(crate) use custom_processor::{CustomProcessor, CustomProcessors};
#[cfg(feature = "app")]
pub(crate) use ids::SdkIdGenerator;
pub(crate) use limits::{Capacity, SPARE};
#[cfg(feature = "app")]
pub(crate) use processor::{Nowhere, Processor, Sink};
#[cfg(feature = "app")]
pub(crate) use random::flag_root;
pub(crate) use random::flagged;
