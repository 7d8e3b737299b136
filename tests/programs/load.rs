//! The load of `burst` and of its stock twin: so many spans, at a rate, in one of the ways that
//! programs run and end.
//!
//! ```text
//! burst <none|current_thread|multi> <spans> <spans a second, 0: no limit> <return|error|panic|signal>
//! ```
//!
//! After its shutdown the program prints one line of JSON: its account, and what that took.

use std::ops::Range;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tokio::runtime::Builder;

/// What is measured.
pub(crate) trait Telemetry {
    fn start() -> Self;
    /// Makes one span.
    fn step(number: u64);
    /// Flushes, and gives an account: fields of a JSON object.
    fn stop(self) -> String;
}

/// Runs what the arguments say.
pub(crate) fn run<T: Telemetry>() -> Result<(), String> {
    let load = Load::from_arguments();
    let runtime = match load.flavour {
        Flavour::None => None,
        Flavour::CurrentThread => Some(Builder::new_current_thread().enable_all().build()),
        Flavour::Multi => Some(Builder::new_multi_thread().worker_threads(2).enable_all().build()),
    };
    let life = load.live::<T>();
    match runtime {
        Some(runtime) => runtime.map_err(|error| error.to_string())?.block_on(life),
        None => match pin!(life).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => unreachable!("without a runtime it only blocks"),
        },
    }
}

#[derive(Clone, Copy)]
struct Load {
    flavour: Flavour,
    spans: u64,
    rate: u64,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum Flavour {
    None,
    CurrentThread,
    Multi,
}

#[derive(Clone, Copy)]
enum End {
    Return,
    Error,
    Panic,
    Signal,
}

impl Load {
    fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let [flavour, spans, rate, end] = arguments[..] else { panic!("four arguments") };
        Self {
            flavour: match flavour {
                "none" => Flavour::None,
                "current_thread" => Flavour::CurrentThread,
                "multi" => Flavour::Multi,
                other => panic!("unknown runtime {other}"),
            },
            spans: spans.parse().expect("a number of spans"),
            rate: rate.parse().expect("a number of spans a second"),
            end: match end {
                "return" => End::Return,
                "error" => End::Error,
                "panic" => End::Panic,
                "signal" => End::Signal,
                other => panic!("unknown end {other}"),
            },
        }
    }

    /// The whole life of telemetry is within the runtime, as under `#[tokio::main]`.
    async fn live<T: Telemetry>(self) -> Result<(), String> {
        let telemetry = T::start();
        self.make(T::step).await;
        let outcome = catch_unwind(|| self.end());
        let stopping = Instant::now();
        let account = telemetry.stop();
        let shutdown = stopping.elapsed().as_millis();
        println!("{{{account}, \"shutdown_ms\": {shutdown}}}");
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    async fn make(self, step: fn(u64)) {
        if self.flavour != Flavour::Multi {
            return self.share(0..self.spans, self.rate, step).await;
        }
        let shares = (0..TASKS).map(|task| {
            let share = self.spans * task / TASKS..self.spans * (task + 1) / TASKS;
            tokio::spawn(self.share(share, self.rate.div_ceil(TASKS), step))
        });
        for share in shares.collect::<Vec<_>>() {
            share.await.expect("no panic");
        }
    }

    /// Makes these spans, each when it is due.
    async fn share(self, numbers: Range<u64>, rate: u64, step: fn(u64)) {
        let started = Instant::now();
        let due = || match rate {
            0 => u64::MAX,
            rate => {
                rate * u64::try_from(started.elapsed().as_millis()).expect("not that long") / 1000
            }
        };
        let mut next = numbers.start;
        while next < numbers.end {
            let until = numbers.end.min(numbers.start.saturating_add(due()));
            (next..until).for_each(step);
            next = until;
            match self.flavour {
                Flavour::None => thread::sleep(PAUSE),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn end(self) -> Result<(), String> {
        match self.end {
            End::Return => Ok(()),
            End::Error => Err("the load failed".to_owned()),
            End::Panic => panic!("the load panicked"),
            // Whatever runtime there is, it stands still meanwhile.
            End::Signal => {
                let mut signals = Signals::new([SIGTERM]).expect("a handler");
                println!("waiting");
                signals.forever().next();
                Ok(())
            }
        }
    }
}

const TASKS: u64 = 4;
const PAUSE: Duration = Duration::from_millis(5);
