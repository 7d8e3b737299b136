//! Rules decide about local traces by their names. `sdk` records by OpenTelemetry's SDK, `keep` keeps what fails, and
//! `change` changes the rules while it runs.

use std::collections::HashMap;

use opentelemetry::global;
use opentelemetry::trace::{Span as _, SpanKind, Tracer};
use spandrel::{Config, SampleRate, install, propagate, span};
use spandrel_tests::Silent;

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let config = Config::new("rules")
        .sample(1.0)
        .sample_rule("GET /health", 0.0)
        .sample_rule("server:GET /limited", SampleRate::PerSecond(0.001));
    let _app = install(match how.as_str() {
        "sdk" => config.processor(Silent),
        "keep" => config.keep_errors(),
        _ => config,
    });
    if how == "change" {
        return change();
    }
    let none = HashMap::new();
    let sampled = HashMap::from([(
        "traceparent".to_owned(),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    )]);
    for path in ["/health", "/orders", "/limited", "/limited"] {
        let _ = request(&none, path, how == "keep" && path == "/health");
    }
    for path in ["/health", "/orders", "/limited", "/limited"] {
        let _ = request(&sampled, path, false);
    }
    own_trace();
    let tracer = global::tracer("foreign");
    for path in ["GET /health", "GET /orders"] {
        tracer.span_builder(path).with_kind(SpanKind::Server).start(&tracer).end();
    }
    println!("{}", spandrel::sampling().expect("it is up"));
}

#[propagate(headers)]
#[span(name(format!("GET {path}")), kind(server))]
fn request(headers: &HashMap<String, String>, path: &str, fails: bool) -> Result<(), &'static str> {
    work("part");
    if fails { Err("it failed") } else { Ok(()) }
}

#[span(name({ println!("the name of {part} is asked for"); part }))]
fn work(part: &str) {}

#[span("own")]
fn own_trace() {
    health();
}

#[span("GET /health", root)]
fn health() {
    work("part of health");
}

fn change() {
    let none = HashMap::new();
    let request = |path| {
        let _ = request(&none, path, false);
    };
    for rules in ["0, GET /a=1", "1, GET /a=0", "0", "1"] {
        assert!(spandrel::set_sampling(rules.parse().expect("they are rules")));
        assert_eq!(spandrel::sampling().expect("it is up").to_string(), rules);
        println!("{rules}");
        request("/a");
        request("/b");
    }
}
