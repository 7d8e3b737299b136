//! Exporters: where batches go, and why some did not arrive.

mod accounted;
mod otlp;

pub(crate) use accounted::{Accounted, Failures};
pub(crate) use otlp::exporter as otlp;
