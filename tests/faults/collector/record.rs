//! What the collector was sent, and what it answered.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::behaviour::{Behaviour, Protocol};
use super::body::Malformed;
use super::check;

/// A request whose headers arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) protocol: Protocol,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// `gzip`, `zstd`, or none.
    pub(crate) encoding: Option<String>,
    /// How many spans were in it; none as long as its body is not there.
    pub(crate) spans: usize,
    /// Its first span's id, by which a second try is known.
    pub(crate) first: Vec<u8>,
    /// When it arrived, after the collector was made.
    pub(crate) arrived: Duration,
    /// The answer given, and when.
    pub(crate) answer: Option<(Behaviour, Duration)>,
}

/// How many spans were acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Distinct ones.
    pub(crate) spans: usize,
    /// Those that had arrived before.
    pub(crate) duplicates: usize,
}

pub(super) type Script = Box<dyn Fn(usize, Duration) -> Behaviour + Send>;

pub(super) struct Record {
    started: Instant,
    keeps: bool,
    state: Mutex<State>,
}

struct State {
    script: Script,
    first: Option<Instant>,
    requests: Vec<Request>,
    kept: Vec<ExportTraceServiceRequest>,
    ids: HashSet<[u8; 8]>,
    duplicates: usize,
    findings: Vec<String>,
}

/// One request and its answer.
pub(super) struct Exchange {
    record: Arc<Record>,
    number: usize,
    batch: Option<ExportTraceServiceRequest>,
    pub(super) behaviour: Behaviour,
}

impl Record {
    pub(super) fn keeping() -> Self {
        Self::new(true)
    }

    pub(super) fn counting() -> Self {
        Self::new(false)
    }

    fn new(keeps: bool) -> Self {
        let state = State {
            script: Box::new(|_, _| Behaviour::Take),
            first: None,
            requests: Vec::new(),
            kept: Vec::new(),
            ids: HashSet::new(),
            duplicates: 0,
            findings: Vec::new(),
        };
        Self { started: Instant::now(), keeps, state: Mutex::new(state) }
    }

    pub(super) fn follow(&self, script: Script) {
        self.state().script = script;
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    pub(super) fn arrived(&self) -> Arrived {
        let state = self.state();
        Arrived { spans: state.ids.len(), duplicates: state.duplicates }
    }

    pub(super) fn find(&self, finding: impl Into<String>) {
        self.state().findings.push(finding.into());
    }

    pub(super) fn take_findings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().findings)
    }

    /// What was acknowledged, request by request.
    pub(super) fn with_kept<T>(&self, read: impl FnOnce(&[ExportTraceServiceRequest]) -> T) -> T {
        assert!(self.keeps, "this collector only counts");
        read(&self.state().kept)
    }

    /// A request's headers are there.
    pub(super) fn begin(
        self: Arc<Self>,
        protocol: Protocol,
        path: &str,
        headers: HeaderMap,
    ) -> Exchange {
        let mut state = self.state();
        let first = *state.first.get_or_insert_with(Instant::now);
        let number = state.requests.len();
        let encoding = headers.get(protocol.encoding_header());
        let encoding = encoding.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        let behaviour = match (state.script)(number + 1, first.elapsed()) {
            Behaviour::TakeUncompressed if encoding.is_some() => Behaviour::EncodingRefused,
            Behaviour::TakeUncompressed => Behaviour::Take,
            behaviour => behaviour,
        };
        state.requests.push(Request {
            protocol,
            path: path.to_owned(),
            encoding: encoding.filter(|name| name != "identity"),
            headers,
            spans: 0,
            first: Vec::new(),
            arrived: self.started.elapsed(),
            answer: None,
        });
        drop(state);
        Exchange { record: self, number, batch: None, behaviour }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// The body is there, and is a request or not. One that is not is refused.
    pub(super) fn receive(&mut self, batch: Result<ExportTraceServiceRequest, Malformed>) {
        match batch {
            Ok(batch) => {
                let findings = check::request(&batch);
                let mut state = self.record.state();
                state.findings.extend(findings);
                let request = &mut state.requests[self.number];
                request.spans = spans(&batch).count();
                request.first =
                    spans(&batch).next().map(|span| span.span_id.clone()).unwrap_or_default();
                self.batch = Some(batch);
            }
            Err(Malformed { status, finding }) => {
                self.record.find(finding);
                self.behaviour = Behaviour::Status { code: status, retry_after: None };
            }
        }
    }

    /// To be called just before the answer is sent: whoever has read it finds it recorded.
    pub(super) fn answer(&mut self) {
        let elapsed = self.record.started.elapsed();
        let mut state = self.record.state();
        state.requests[self.number].answer = Some((self.behaviour.clone(), elapsed));
        let Some(mut batch) = self.batch.take() else { return };
        let taken =
            self.behaviour.takes(spans(&batch).count(), state.requests[self.number].protocol);
        truncate(&mut batch, taken);
        for span in spans(&batch) {
            let id = span.span_id.first_chunk().copied().unwrap_or_default();
            if !state.ids.insert(id) {
                state.duplicates += 1;
            }
        }
        if self.record.keeps && taken > 0 {
            state.kept.push(batch);
        }
    }
}

impl Protocol {
    fn encoding_header(self) -> &'static str {
        match self {
            Self::Http => "content-encoding",
            Self::Grpc => "grpc-encoding",
        }
    }
}

fn spans(batch: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    let scopes = batch.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans)
}

/// Leaves the first so many spans.
fn truncate(batch: &mut ExportTraceServiceRequest, mut length: usize) {
    let scopes = batch.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    for scope in scopes {
        scope.spans.truncate(length);
        length -= scope.spans.len();
    }
}
