//! Credentials that change while the program runs: headers here, certificates in `tls`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Stdio};

use crate::collector::{Behaviour, Collector};
use crate::process::{PROTOCOLS, RENEWS, command};

/// A program that makes a span, and flushes it, when it is told to.
pub(crate) struct Renews {
    program: Child,
    flushed: BufReader<ChildStdout>,
}

impl Renews {
    pub(crate) fn start(how: &str, variables: &[(&str, &str)]) -> Self {
        let mut program =
            command(RENEWS, how, variables).stdin(Stdio::piped()).spawn().expect("it runs");
        let flushed = BufReader::new(program.stdout.take().expect("piped"));
        Self { program, flushed }
    }

    /// Returns what the flush says.
    pub(crate) fn span(&mut self) -> String {
        let mut stdin = self.program.stdin.as_ref().expect("piped");
        stdin.write_all(b"\n").expect("it reads");
        let mut said = String::new();
        self.flushed.read_line(&mut said).expect("it writes");
        said
    }

    /// Returns what the program wrote on standard error.
    pub(crate) fn end(mut self) -> String {
        drop(self.program.stdin.take());
        let mut said = String::new();
        let mut stderr = self.program.stderr.take().expect("piped");
        stderr.read_to_string(&mut said).expect("text");
        assert!(self.program.wait().expect("it ends").success(), "{said}");
        said
    }
}

fn start(how: &str, protocol: &str, collector: &Collector) -> Renews {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20old,x-team=a"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
    ];
    Renews::start(how, &variables)
}

/// The tokens of the requests, each of which has the other header as well.
fn tokens(collector: &Collector) -> Vec<String> {
    let requests = collector.requests().into_iter();
    let tokens = requests.map(|request| {
        assert_eq!(request.headers["x-team"], "a");
        let token: Vec<_> = request.headers.get_all("authorization").iter().collect();
        assert_eq!(token.len(), 1, "{token:?}");
        token[0].to_str().expect("text").to_owned()
    });
    tokens.collect()
}

#[test]
fn the_function_gives_headers_for_each_request() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        let mut program = start("", protocol, &collector);
        (0..3).for_each(|_| drop(program.span()));
        assert_eq!(program.end(), "", "{protocol}");
        assert_eq!(tokens(&collector), ["Bearer 1", "Bearer 2", "Bearer 3"], "{protocol}");
        assert_eq!(collector.spans().len(), 3, "{protocol}: what the function does is not traced");
    }
}

#[test]
fn a_token_that_has_expired_is_replaced_at_once() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        collector.script(|number, _| match number {
            1 => Behaviour::Status { code: 401, retry_after: None },
            _ => Behaviour::Take,
        });
        let mut program = start("", protocol, &collector);
        (0..2).for_each(|_| drop(program.span()));
        assert_eq!(program.end(), "", "{protocol}");
        assert_eq!(tokens(&collector), ["Bearer 1", "Bearer 2", "Bearer 3"], "{protocol}");
        assert_eq!(collector.spans().len(), 2, "{protocol}");
    }
}

#[test]
fn a_call_that_fails_is_made_again() {
    for how in ["fails", "panics", "hangs", "names", "values", "flushes"] {
        let collector = Collector::start();
        let mut program = start(how, "http/protobuf", &collector);
        program.span();
        let said = program.end();
        assert!(!said.contains("lost"), "{how}: {said}");
        assert_eq!(collector.spans().len(), 1, "{how}: {said}");
    }
}

#[test]
fn spans_without_headers_are_lost_with_the_reason() {
    for (how, why) in [
        ("always-fails", "no token for you"),
        ("always-panics", "it panicked"),
        ("always-hangs", "it did not return in time"),
        ("always-names", "HTTP does not allow the header that it named `not a name`"),
        ("always-values", "HTTP does not allow the header that it named `authorization`"),
    ] {
        let collector = Collector::start();
        let mut program = start(how, "http/protobuf", &collector);
        program.span();
        let said = program.end();
        let expected = format!("the function of `headers` failed: {why}");
        assert!(said.contains("1 of 1 spans lost") && said.contains(&expected), "{how}: {said}");
        assert!(!said.contains("secret") && !said.contains("sec ret"), "{how}: {said}");
        assert_eq!(collector.requests().len(), 0, "{how}");
    }
}
