//! An app type: telemetry from its `setup` to its `teardown`.

use std::sync::Mutex;

use super::install::{AppGuard, install};
use crate::config::Config;
use crate::lock::Unpoisoned;
use crate::outcome::Outcome;

/// The guards of the apps that are set up.
static KEPT: Mutex<Vec<AppGuard>> = Mutex::new(Vec::new());

/// Telemetry while `setup` runs. When that fails it is shut down, else kept until `teardown`.
#[derive(Debug)]
pub struct SetUp(AppGuard);

impl SetUp {
    /// Telemetry is up after this.
    pub fn start(config: Config) -> Self {
        Self(install(config))
    }

    /// Runs the body of a `setup`.
    pub fn run<T>(self, body: impl FnOnce() -> T, outcome: impl FnOnce(&T) -> Outcome) -> T {
        let value = body();
        self.keep_unless(outcome(&value).failure.is_some());
        value
    }

    /// Runs the body of an `async` `setup`.
    pub async fn follow<F: Future>(
        self,
        body: F,
        outcome: impl FnOnce(&F::Output) -> Outcome,
    ) -> F::Output {
        let value = body.await;
        self.keep_unless(outcome(&value).failure.is_some());
        value
    }

    fn keep_unless(self, failed: bool) {
        if failed {
            return;
        }
        kept().push(self.0);
    }
}

/// The guard of one app, to be dropped after the body of its `teardown`.
pub fn tear_down() -> Option<AppGuard> {
    kept().pop()
}

fn kept() -> std::sync::MutexGuard<'static, Vec<AppGuard>> {
    KEPT.lock().unpoisoned()
}
