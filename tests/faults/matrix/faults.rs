//! What goes wrong, and what is to become of the spans.

use std::thread;
use std::time::{Duration, Instant};

use crate::collector::{Behaviour, Collector, Protocol};

pub(super) struct Fault {
    pub(super) name: &'static str,
    plan: Plan,
    http: Expected,
    grpc: Expected,
}

enum Plan {
    Script(fn(usize, Duration) -> Behaviour),
    /// Refuses connections for so long.
    Late(Duration),
    /// Takes some, then is away for so long.
    Away(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    /// Everything, since the collector is well again before the deadline.
    Delivered,
    /// All but what was refused for good; that is not tried again.
    Refused,
    /// All but what partial successes rejected.
    Rejected,
    /// Everything, though the program cannot know: what it cannot read it counts as failed.
    Doubted,
    /// Nothing, in time.
    Lost,
}

use Expected::{Delivered, Doubted, Lost, Refused, Rejected};

impl Fault {
    const fn new(name: &'static str, plan: Plan, expected: Expected) -> Self {
        Self { name, plan, http: expected, grpc: expected }
    }

    const fn over_grpc(mut self, expected: Expected) -> Self {
        self.grpc = expected;
        self
    }

    pub(super) fn expected(&self, protocol: Protocol) -> Expected {
        match protocol {
            Protocol::Http => self.http,
            Protocol::Grpc => self.grpc,
        }
    }

    pub(super) fn collector(&self) -> Collector {
        match self.plan {
            Plan::Script(script) => {
                let collector = Collector::counting();
                collector.script(script);
                collector
            }
            Plan::Late(_) => Collector::refusing(),
            Plan::Away(_) => Collector::counting(),
        }
    }

    /// Does what a script cannot, while the program runs.
    pub(super) fn play(&self, collector: &Collector) {
        match self.plan {
            Plan::Script(_) => {}
            Plan::Late(delay) => {
                thread::sleep(delay);
                collector.open();
            }
            Plan::Away(delay) => {
                let waiting = Instant::now();
                while collector.arrived().spans == 0 && waiting.elapsed() < Duration::from_secs(5) {
                    thread::sleep(Duration::from_millis(10));
                }
                collector.close();
                thread::sleep(delay);
                collector.open();
            }
        }
    }
}

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("up", script(|_, _| Behaviour::Take), Delivered),
    Fault::new("refused for 3 s", Plan::Late(Duration::from_secs(3)), Delivered),
    Fault::new("away for 2 s", Plan::Away(Duration::from_secs(2)), Delivered),
    Fault::new("503", script(|_, elapsed| at_first(elapsed, status(503, None))), Delivered),
    Fault::new(
        "503 retry-after",
        script(|_, elapsed| at_first(elapsed, status(503, Some(1)))),
        Delivered,
    ),
    // Over gRPC a resource that is exhausted comes back only if the server says when.
    Fault::new("429", script(|_, elapsed| at_first(elapsed, status(429, None))), Delivered)
        .over_grpc(Refused),
    Fault::new(
        "a page",
        script(|_, elapsed| at_first(elapsed, Behaviour::Page { code: 502 })),
        Delivered,
    ),
    Fault::new(
        "429 retry-after",
        script(|_, elapsed| at_first(elapsed, status(429, Some(1)))),
        Delivered,
    ),
    Fault::new("400", script(|_, _| status(400, None)), Refused),
    Fault::new(
        "reset on headers",
        script(|_, elapsed| at_first(elapsed, Behaviour::ResetOnHeaders)),
        Delivered,
    ),
    Fault::new(
        "reset after body",
        script(|_, elapsed| at_first(elapsed, Behaviour::ResetAfterBody)),
        Delivered,
    ),
    Fault::new(
        "half an answer",
        script(|_, elapsed| at_first(elapsed, Behaviour::HalfAnswer)),
        Delivered,
    ),
    Fault::new("hang", script(|_, _| Behaviour::Hang), Lost),
    Fault::new("slow", script(|_, _| Behaviour::Slow(Duration::from_millis(300))), Delivered),
    Fault::new("garbage", script(|_, elapsed| at_first(elapsed, Behaviour::Garbage)), Delivered),
    Fault::new(
        "garbage message",
        script(|_, elapsed| at_first(elapsed, Behaviour::GarbageMessage)),
        Doubted,
    ),
    Fault::new(
        "partial success",
        script(|_, _| Behaviour::Partial { rejected: 3, message: "three too many" }),
        Rejected,
    ),
];

const fn script(script: fn(usize, Duration) -> Behaviour) -> Plan {
    Plan::Script(script)
}

const fn status(code: u16, retry_after: Option<u64>) -> Behaviour {
    Behaviour::Status { code, retry_after }
}

/// Trouble for one and a half seconds.
fn at_first(elapsed: Duration, trouble: Behaviour) -> Behaviour {
    if elapsed < Duration::from_millis(1500) { trouble } else { Behaviour::Take }
}
