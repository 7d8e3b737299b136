//! A program that brings an exporter of its own, which may not do well.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use spandrel::{Config, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    if how == "races" {
        return races();
    }
    let exporter = Own { how: how.clone(), ..Own::default() };
    let config = Config::new("own-exporter").flush(Duration::from_secs(1)).batch_size(10);
    let app = spandrel::install(config.exporter(exporter.clone()));
    match how.as_str() {
        "many" => (0..100).for_each(|_| fails()),
        "boom" => {
            let _ = std::panic::catch_unwind(boom);
        }
        "repeats" => {
            let _ = repeats();
        }
        "keys" => keys(),
        "flush" => {
            fails();
            let flushed = spandrel::flush(Duration::from_secs(10)).is_complete();
            println!("{flushed} {:?}", spandrel::stats());
        }
        _ => fails(),
    }
    if how == "pending" {
        thread::sleep(Duration::from_millis(700));
        println!("{:?}", spandrel::stats());
    }
    drop(app);
    println!("{}", exporter.seen.lock().expect("not poisoned").join(" "));
    println!("{:?}", spandrel::stats());
    println!("at once: {}", exporter.most.load(Ordering::SeqCst));
}

/// Telemetry is set up while spans start, again and again; they all end before it is shut down.
fn races() {
    let exporter = Own::default();
    // Something records all the while.
    spandrel::testing::record(|| {
        for _ in 0..100 {
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                let work = || {
                    while !stop.load(Ordering::Relaxed) {
                        fails();
                    }
                };
                let threads = [scope.spawn(work), scope.spawn(work), scope.spawn(work)];
                let app = spandrel::install(Config::new("races").exporter(exporter.clone()));
                stop.store(true, Ordering::Relaxed);
                for thread in threads {
                    thread.join().expect("no panic");
                }
                drop(app);
            });
        }
    });
    let seen = exporter.seen.lock().expect("not poisoned");
    let interrupted = seen.iter().filter(|span| span.contains("interrupted")).count();
    println!("{} {interrupted}", seen.is_empty());
}

fn fails() {
    let _ = work();
}

#[span("work")]
fn work() -> Result<(), &'static str> {
    Err("it failed")
}

#[span("boom", fuse = burns())]
fn boom() {}

fn burns() -> u32 {
    panic!("too short")
}

/// More values than a span may have attributes, and an error at the end of it.
#[span("repeats")]
fn repeats() -> Result<(), &'static str> {
    (0..200).for_each(|step| spandrel::current().set("step", step));
    Err("it failed")
}

/// More keys than a span may have, the first of them again and again.
#[span("keys", start = true)]
fn keys() {
    const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
    for _ in 0..2000 {
        for key in KEYS {
            spandrel::current().set(key, key);
        }
    }
    spandrel::current().set("start", "again");
    // Distinct keys, far beyond what is buffered.
    for number in 0..3000 {
        let context = opentelemetry::Context::current();
        let pair = opentelemetry::KeyValue::new(format!("key-{number}"), true);
        opentelemetry::trace::TraceContextExt::span(&context).set_attribute(pair);
    }
}

#[derive(Clone, Debug, Default)]
struct Own {
    how: String,
    seen: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl SpanExporter for Own {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        match self.how.as_str() {
            // What is started here gets the signals that the program blocks, and no others, blocked.
            "mask" => {
                let status = thread::spawn(|| std::fs::read_to_string("/proc/thread-self/status"));
                let status = status.join().expect("no panic").expect("Linux has it");
                let mask = status.lines().find(|line| line.starts_with("SigBlk:"));
                self.seen.lock().expect("not poisoned").push(mask.unwrap_or_default().to_owned());
            }
            "asks" => {
                let flushed = spandrel::flush(Duration::from_mins(1));
                self.seen.lock().expect("not poisoned").push(format!("{}", flushed.timed_out));
            }
            "blocks" => thread::sleep(Duration::from_mins(1)),
            "panics" => panic!("the exporter is broken"),
            "pending" => std::future::pending().await,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        let mut seen = self.seen.lock().expect("not poisoned");
        for span in batch {
            let attributes =
                span.attributes.iter().map(|pair| format!("{}={}", pair.key, pair.value));
            let attributes = attributes.collect::<Vec<_>>().join(",");
            let dropped = match span.dropped_attributes_count {
                0 => String::new(),
                dropped => format!(" ({dropped} dropped)"),
            };
            seen.push(format!("{}:{attributes}{dropped}", span.name));
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}
