//! Whether what a program says of its spans is what the collector saw.

use std::collections::HashMap;
use std::time::Duration;

use super::faults::Expected;
use super::run::Run;
use super::{Row, SPANS};
use crate::collector::{Behaviour, Collector, Protocol, Request};

/// The flush budget of the program is 4 s; the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(6);
/// A hot loop would try a thousand times.
const TRIES: usize = 30;

/// The first thing that is wrong, if something is.
pub(super) fn check(row: &Row, run: &Run, collector: &Collector) -> Option<String> {
    let requests = collector.requests();
    let arrived = collector.arrived();
    let findings = collector.findings();
    let number = |field| run.number(field).unwrap_or_default();
    let [accepted, exported, dropped, failed] =
        ["accepted", "exported", "dropped", "failed"].map(number);
    let refused = refused(&requests);
    let expected = row.fault.expected(row.protocol);
    let rules = [
        (run.code == Some(0), "its exit code is its own"),
        (findings.is_empty(), "what it sends is OTLP"),
        (requests.iter().all(|request| request.protocol == row.protocol), "it keeps the protocol"),
        (accepted == SPANS, "every span is accepted"),
        (accepted == exported + dropped + failed, "every span is accounted for"),
        (exported == arrived.spans || expected == Expected::Doubted, "it exported what arrived"),
        (number("shutdown_ms") as u128 <= DEADLINE.as_millis(), "it meets its deadline"),
        (
            !requests.iter().all(acknowledged) || arrived.duplicates == 0,
            "what was acknowledged is not sent again",
        ),
        (tries(&requests) <= TRIES, "it waits between tries"),
        (patient(&requests), "it waits as long as it was told to"),
    ];
    let outcome = match expected {
        Expected::Delivered => (exported == SPANS, "everything arrives in the end"),
        Expected::Refused => {
            let once = refused.values().all(|&(tries, _)| tries == 1);
            let spans: usize = refused.values().map(|&(_, spans)| spans).sum();
            (spans > 0 && once && failed == spans && dropped == 0, "a refusal is the end of it")
        }
        Expected::Rejected => {
            let rejected: usize = requests.iter().map(rejected).sum();
            (rejected > 0 && failed == rejected && dropped == 0, "what was rejected failed")
        }
        Expected::Doubted => (arrived.spans == SPANS && dropped == 0, "everything arrives"),
        Expected::Lost => (exported == 0 && failed + dropped == SPANS, "all is known to be lost"),
    };
    let (_, rule) = rules.into_iter().chain([outcome]).find(|(holds, _)| !holds)?;
    Some(format!(
        "not so: {rule}; {arrived:?} by {} requests; {}",
        requests.len(),
        findings.first().map(String::as_str).unwrap_or_default()
    ))
}

/// How often each batch was refused, and how many spans are in it.
fn refused(requests: &[Request]) -> HashMap<&[u8], (usize, usize)> {
    let mut refused = HashMap::new();
    for request in requests {
        if let Some((Behaviour::Status { .. }, _)) = request.answer {
            let (tries, spans) = refused.entry(request.first.as_slice()).or_insert((0, 0));
            *tries += 1;
            *spans = request.spans;
        }
    }
    refused
}

fn rejected(request: &Request) -> usize {
    match request.answer {
        Some((Behaviour::Partial { rejected, .. }, _)) => {
            request.spans.min(usize::try_from(rejected).unwrap_or(0))
        }
        _ => 0,
    }
}

/// Whether a client knows how it was answered, and has no reason to send twice. Over HTTP the status
/// says so, which comes first.
fn acknowledged(request: &Request) -> bool {
    match request.answer {
        Some((
            Behaviour::Take
            | Behaviour::Slow(_)
            | Behaviour::Partial { .. }
            | Behaviour::Status { .. },
            _,
        )) => true,
        Some((Behaviour::HalfAnswer, _)) => request.protocol == Protocol::Http,
        _ => false,
    }
}

/// The most tries that any batch took, as far as its body arrived.
fn tries(requests: &[Request]) -> usize {
    let mut tries = HashMap::new();
    for request in requests.iter().filter(|request| request.spans > 0) {
        *tries.entry(request.first.as_slice()).or_insert(0) += 1;
    }
    tries.into_values().max().unwrap_or_default()
}

/// Whether no batch came back before its time.
fn patient(requests: &[Request]) -> bool {
    let mut due: HashMap<&[u8], Duration> = HashMap::new();
    requests.iter().all(|request| {
        let patient = due.get(request.first.as_slice()).is_none_or(|due| request.arrived >= *due);
        if let Some((Behaviour::Status { retry_after: Some(seconds), .. }, at)) = request.answer {
            due.insert(&request.first, at + Duration::from_secs(seconds));
        }
        patient
    })
}
