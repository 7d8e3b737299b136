//! Headers that the program's function gives for each request.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::Context;
use tokio::sync::Mutex;

use super::timeout::within;
use crate::clean::line;
use crate::config::{HeadersFunction, secret_header};
use crate::internal_threads;

/// How many requests are made at the same time.
pub(super) const AT_ONCE: u32 = 8;

/// Calls the program's function, one call at a time, on threads where it may block.
pub(super) struct Credentials {
    function: Option<HeadersFunction>,
    /// Held during a call. A call that never returns is the last.
    turn: Arc<Mutex<()>>,
}

impl Credentials {
    pub(super) fn new(function: Option<HeadersFunction>) -> Self {
        Self { function, turn: Arc::default() }
    }

    /// Whether another call may give other headers.
    pub(super) fn may_change(&self) -> bool {
        self.function.is_some()
    }

    /// The headers for a request, within the time limit for it; or why there are none.
    pub(super) async fn headers(&self, limit: Option<Duration>) -> Result<HeaderMap, String> {
        let Some(function) = self.function.clone() else { return Ok(HeaderMap::new()) };
        // As many requests may wait for their turns.
        let patience = limit.map(|limit| limit.saturating_mul(AT_ONCE));
        let Some(turn) = within(patience, self.turn.clone().lock_owned()).await else {
            return Err("an earlier call of the function of `headers` has not returned".to_owned());
        };
        let called = async {
            let call = move || {
                let _turn = turn;
                // A flush would wait for this call.
                internal_threads::mark_exporter();
                // What the function does is not to be traced.
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                internal_threads::run_user_code(|| {
                    catch_unwind(AssertUnwindSafe(|| function.call()))
                        .unwrap_or_else(|_| Err("it panicked".to_owned()))
                })
            };
            tokio::task::spawn_blocking(call).await.unwrap_or_else(|error| Err(error.to_string()))
        };
        let given = within(limit, called).await;
        let given = given.unwrap_or_else(|| Err("it did not return in time".to_owned()));
        let parsed = given.and_then(parse);
        parsed.map_err(|why| format!("the function of `headers` failed: {}", line(&why)))
    }
}

/// Headers, or the name of one that is none. Its value is secret.
fn parse(given: Vec<(String, String)>) -> Result<HeaderMap, String> {
    let header = |(name, value): (String, String)| {
        secret_header(&name, value.trim().as_bytes())
            .ok_or_else(|| format!("HTTP does not allow the header that it named `{name}`"))
    };
    given.into_iter().map(header).collect()
}
