//! A program that gives us the stock exporter, with the client that its argument names. It prints its account.

use std::time::Duration;

use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use spandrel::{Config, span};

fn main() {
    let client = std::env::args().nth(1).unwrap_or_default();
    // A channel of gRPC lives in the runtime that it was made in.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let exporter = match client.as_str() {
        "default" => SpanExporter::builder().with_http().build(),
        "blocking" => {
            let client = reqwest::blocking::Client::new();
            SpanExporter::builder().with_http().with_http_client(client).build()
        }
        "async" => {
            let client = reqwest::Client::new();
            SpanExporter::builder().with_http().with_http_client(client).build()
        }
        "hyper" => {
            let client = HyperClient::with_default_connector(Duration::from_secs(10), None);
            SpanExporter::builder().with_http().with_http_client(client).build()
        }
        "grpc" => {
            let _inside = runtime.enter();
            SpanExporter::builder().with_tonic().build()
        }
        other => panic!("unknown: {other}"),
    };
    let app = spandrel::install(Config::new("stock").exporter(exporter.expect("an exporter")));
    for _ in 0..3 {
        (0..10).for_each(work);
        let flushed = spandrel::flush(Duration::from_secs(10));
        assert!(flushed.is_complete(), "{flushed}");
    }
    work(30);
    drop(app);
    println!("{:?}", spandrel::stats());
}

#[span(number = number)]
fn work(number: u32) {}
