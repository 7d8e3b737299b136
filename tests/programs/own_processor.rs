//! A program whose own processor sees its spans too, and does what the argument says.

use std::thread;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry::trace::Tracer as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use spandrel::{Config, span, traced_app};
use spandrel_tests::Silent;

#[derive(Debug)]
struct Printer {
    service: String,
}

impl SpanProcessor for Printer {
    fn on_start(&self, span: &mut Span, _: &Context) {
        println!("start, sampled: {}", span.span_context().is_sampled());
    }

    fn on_end(&self, span: SpanData) {
        println!("end of {} of {}", span.name, self.service);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        println!("shut down");
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        let name = resource.get(&"service.name".into());
        self.service = name.map(|name| name.to_string()).unwrap_or_default();
    }
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let config = Config::new("shop").grace(Duration::from_secs(3)).flush(Duration::from_secs(2));
    match how.as_str() {
        "" => App::setup().teardown(),
        "records" => {
            let app = spandrel::install(config.processor(Records));
            work();
            drop(app);
        }
        "asks" => inside(config.processor(Asks)),
        "asks-killed" => killed(config.processor(Asks)),
        "panics" => {
            let app = spandrel::install(config.processor(Panics));
            work();
            drop(app);
        }
        "slow" => {
            let app = spandrel::install(config.processor(Slow).processor(Slow));
            work();
            drop(app);
        }
        "flush" => {
            let app = spandrel::install(config.processor(Flushes));
            println!("{}", spandrel::flush(Duration::from_secs(20)).is_complete());
            let app_too = spandrel::install(Config::new("again"));
            drop((app, app_too));
        }
        "flush-slow" => {
            let app = spandrel::install(config.processor(Slow));
            println!("{}", spandrel::flush(Duration::from_millis(50)).is_complete());
            drop(app);
        }
        "keep" => {
            let app = spandrel::install(config.sample(0.0).keep_errors().processor(Silent));
            says_what_it_records(1);
            drop(app);
        }
        "late" | "late-native" => {
            ends_too_late(if how == "late" { config.processor(Silent) } else { config });
        }
        other => panic!("unknown: {other}"),
    }
}

#[span(number = {
    println!("asked");
    number
})]
fn says_what_it_records(number: i64) {}

struct App {
    body: fn(),
}

/// A span of OpenTelemetry's API that ends when telemetry is down.
fn ends_too_late(config: Config) {
    let app = spandrel::install(config);
    let mut span = opentelemetry::global::tracer("late").start("late");
    drop(app);
    span.end();
    println!("{:?}", spandrel::stats());
}

#[traced_app("shop", processor(Printer { service: String::new() }))]
impl App {
    fn setup() -> Self {
        Self { body: work }
    }

    fn teardown(&self) {
        (self.body)();
    }
}

#[span]
fn work() {}

#[span]
fn inside(config: Config) {
    let app = spandrel::install(config);
    open(|| drop(app));
}

#[span]
fn open(body: impl FnOnce()) {
    body();
}

fn killed(config: Config) {
    let _app = spandrel::install(config);
    open(|| {
        println!("waiting");
        thread::sleep(Duration::from_secs(30));
    });
}

/// Asks for telemetry while that is shut down, on the same thread.
#[derive(Debug)]
struct Asks;

impl SpanProcessor for Asks {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        println!("shut down: {}", spandrel::flush(Duration::from_secs(20)).is_complete());
        drop(spandrel::install(Config::new("again")));
        Ok(())
    }
}

/// Makes spans when it sees one.
#[derive(Debug)]
struct Records;

impl SpanProcessor for Records {
    fn on_start(&self, _: &mut Span, _: &Context) {
        work();
    }

    fn on_end(&self, span: SpanData) {
        println!("end of {}", span.name);
        work();
        opentelemetry::global::tracer("own").in_span("own", |_| work());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Does not want to end.
#[derive(Debug)]
struct Panics;

impl SpanProcessor for Panics {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        panic!("not now");
    }
}

/// Takes its time, whatever it has.
#[derive(Debug)]
struct Slow;

impl SpanProcessor for Slow {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        thread::sleep(Duration::from_mins(1));
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.force_flush()
    }
}

/// Says when it is to flush.
#[derive(Debug)]
struct Flushes;

impl SpanProcessor for Flushes {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        println!("flushed");
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        println!("shut down within {}", timeout.as_secs_f64().ceil());
        Ok(())
    }
}
