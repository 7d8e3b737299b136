//! Exporters: where batches go.

mod accounted;
mod otlp;

pub(crate) use accounted::{Accounted, Failures};
pub(crate) use otlp::exporter as otlp;
