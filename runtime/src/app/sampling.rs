//! Sampling rates that change while the program runs.

use std::time::Duration;

use super::install::sampling_hints;
use super::state::AppState;
use crate::config::SampleRules;

/// What decides now which local traces are sampled: the rates that [`install`](crate::install) found in its
/// configuration and in the environment, or those of the last [`set_sampling`]. `None` if telemetry is not up, or the
/// program has a provider of its own.
pub fn sampling() -> Option<SampleRules> {
    match &*AppState::wait_until_stable(Duration::MAX)? {
        AppState::Up(app) => Some(app.sampling.rules.clone()),
        AppState::Down | AppState::Changing { .. } => None,
    }
}

/// Decides from now on by these rates and rules which local traces are sampled, behind an administrator's endpoint for
/// example. Traces that have started stay as they were decided.
///
/// The rest of the configuration stays: `sample(consistent(…))` states a threshold for the new ratios too, a sampler of
/// `OTEL_TRACES_SAMPLER` that ignores callers goes on to ignore them, and `keep(…)` keeps failed traces.
///
/// Returns `false`, and changes nothing, if telemetry is not up, or the program has a provider of its own.
///
/// ```
/// /// `PUT /admin/sampling` with a body such as `0.1, GET /health=0, checkout*=per_second(5)`.
/// fn put_sampling(body: &str) -> Result<String, (u16, String)> {
///     let rules: spandrel::SampleRules = body.parse().map_err(|why| (400, format!("{why}")))?;
///     let message = format!("sampling {rules} from now on");
///     match spandrel::set_sampling(rules) {
///         true => Ok(message),
///         false => Err((503, "tracing is off".to_owned())),
///     }
/// }
///
/// assert_eq!(put_sampling("ten").unwrap_err().0, 400);
/// ```
pub fn set_sampling(rules: SampleRules) -> bool {
    let state = AppState::wait_until_stable(Duration::MAX);
    let Some(mut state) = state else { return false };
    let AppState::Up(app) = &mut *state else { return false };
    app.pipeline.set_sampling(&rules);
    app.sampling.rules = rules;
    sampling_hints(&app.sampling).set();
    true
}
