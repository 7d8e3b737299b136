//! `OTEL_BSP_*`: how spans wait.

use std::time::Duration;

use crate::environment::Environment;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BatchSettings {
    pub(crate) queue: usize,
    pub(crate) size: usize,
    pub(crate) delay: Duration,
    /// How long a batch is tried; as long as it takes where nothing is said.
    pub(crate) timeout: Option<Duration>,
    /// Whether the last flush is worth waiting for a collector that is not there: not for one that
    /// nobody has named.
    pub(crate) retries_while_closing: bool,
}

impl BatchSettings {
    pub(super) const LARGEST_QUEUE: usize = 1 << 20;

    pub(super) fn resolve(self, environment: &Environment<'_>) -> Self {
        let count = |name, otherwise| {
            let expected = format!("a whole number from 1 to {}", Self::LARGEST_QUEUE);
            let parse = |text: &str| {
                text.parse().ok().filter(|count| (1..=Self::LARGEST_QUEUE).contains(count))
            };
            environment.parsed(name, &expected, otherwise, parse).unwrap_or(otherwise)
        };
        let queue = count("OTEL_BSP_MAX_QUEUE_SIZE", self.queue);
        let size = count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", self.size);
        let delay = self.delay.as_millis();
        let delay = environment.millis("OTEL_BSP_SCHEDULE_DELAY", delay).unwrap_or(self.delay);
        let timeout = match environment.millis("OTEL_BSP_EXPORT_TIMEOUT", "no limit") {
            Some(Duration::ZERO) => None,
            timeout => timeout.or(self.timeout),
        };
        Self { queue, size: size.min(queue), delay, timeout, ..self }
    }
}

impl Default for BatchSettings {
    /// The specification's, but for the timeout: what the queue can hold is not given up.
    fn default() -> Self {
        Self {
            queue: 2048,
            size: 512,
            delay: Duration::from_secs(5),
            timeout: None,
            retries_while_closing: true,
        }
    }
}
