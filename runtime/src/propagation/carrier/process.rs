//! The environment of processes, after OpenTelemetry's specification of environment variables as carriers.

use std::process::Command;

use opentelemetry::Context;

use super::{Carrier, CarrierMut, Pairs, Propagator, WrittenHeaders};
use crate::propagation::current::read;
use opentelemetry::propagation::TextMapPropagator;

/// The environment of this process, to extract the context of whoever started it from: `TRACEPARENT`, `TRACESTATE` and
/// `BAGGAGE`, or the headers of other formats that `OTEL_PROPAGATORS` names, in upper case and with `_` for `-`.
///
/// ```
/// use spandrel::{ProcessEnvironment, propagate, span};
///
/// /// A command-line tool continues its caller's trace.
/// #[propagate(extract(ProcessEnvironment))]
/// #[span]
/// fn run() {}
/// # run();
/// ```
///
/// The environment is read only where `ProcessEnvironment` is written: the requests of a service do not belong to the trace
/// that started the service.
/// [`inject`](crate::inject) writes the current context into the environment of a [`Command`], and
/// `#[propagate(inject(command))]` does. Of tokio's `Command`, give `command.as_std_mut()`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Carrier for ProcessEnvironment {
    fn extract_context(&self) -> Context {
        let values: Vec<(String, String)> = Propagator::global()
            .fields()
            .filter_map(|field| Some((field.to_owned(), std::env::var(variable(field)).ok()?)))
            .collect();
        read(&Pairs::of_texts(values.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}

/// The trace context in this process's own environment is not passed on: it is removed before the current one is written.
impl CarrierMut for Command {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
        for field in Propagator::global().fields() {
            self.env_remove(variable(field));
        }
        self.envs(written.0.into_iter().map(|(name, value)| (variable(&name), value)));
    }
}

/// The variable for a header.
fn variable(header: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    header.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsStr;

    use super::super::tests::attach;
    use super::*;

    #[test]
    fn headers_are_variables_in_upper_case() {
        assert_eq!(variable("traceparent"), "TRACEPARENT");
        assert_eq!(variable("uber-trace-id"), "UBER_TRACE_ID");
    }

    #[test]
    fn the_context_takes_the_place_of_another() {
        let mut command = Command::new("tool");
        command.env("TRACEPARENT", "old").env("TRACESTATE", "old").env("KEPT", "as it is");
        command.inject_context();
        let has = |command: &Command, name: &str, value: Option<&str>| {
            let variables: BTreeMap<_, _> = command.get_envs().collect();
            assert_eq!(variables[OsStr::new(name)], value.map(OsStr::new), "{name}");
        };
        has(&command, "TRACEPARENT", Some("old"));
        let attached = attach();
        command.inject_context();
        drop(attached);
        let sent = "00-0000000000000000000000000000000a-000000000000000b-01";
        has(&command, "TRACEPARENT", Some(sent));
        has(&command, "TRACESTATE", None);
        has(&command, "KEPT", Some("as it is"));
    }
}
