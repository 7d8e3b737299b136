//! Telemetry that is up.

use std::time::Duration;

use super::pipeline::Pipeline;
use crate::config::Sampling;

/// Telemetry that is up, until its last guard is dropped.
pub(super) struct RunningApp {
    pub(super) pipeline: Pipeline,
    pub(super) flush: Duration,
    pub(super) guards: usize,
    /// What decides about traces now.
    pub(super) sampling: Sampling,
}
