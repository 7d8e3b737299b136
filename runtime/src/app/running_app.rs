//! Telemetry that is up.

use std::time::Duration;

use super::pipeline::Pipeline;

/// Telemetry that is up, until its last guard is dropped.
pub(super) struct RunningApp {
    pub(super) pipeline: Pipeline,
    pub(super) flush: Duration,
    pub(super) guards: usize,
}
