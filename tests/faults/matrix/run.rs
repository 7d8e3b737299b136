//! A program under load, and what it said.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::collector::Protocol;
use crate::process::{command, kill};

#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) runtime: &'static str,
    pub(super) spans: usize,
    pub(super) rate: usize,
    pub(super) end: &'static str,
}

pub(super) struct Run {
    /// None if it was killed, by us or by a signal.
    pub(super) code: Option<i32>,
    account: Value,
    stderr: String,
}

impl Load {
    /// Runs `burst` or its twin against this endpoint, and meanwhile something else.
    pub(super) fn run(
        &self,
        program: &str,
        protocol: Protocol,
        endpoint: &str,
        meanwhile: impl FnOnce(),
    ) -> Run {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", variable(protocol)),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8192"),
        ];
        let numbers = [self.spans, self.rate].map(|number| number.to_string());
        let mut command = command(program, self.runtime, &variables);
        let mut program = command.args(numbers).arg(self.end).spawn().expect("it runs");
        let mut stdout = BufReader::new(program.stdout.take().expect("piped"));
        let mut stderr = program.stderr.take().expect("piped");
        let stderr = thread::spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).map(|_| String::from_utf8_lossy(&said).into_owned())
        });
        if self.end == "signal" {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("it writes");
            assert_eq!(line, "waiting\n");
            kill(&program, signal_hook::consts::SIGTERM);
        }
        meanwhile();
        let status = ended(&mut program);
        let mut line = String::new();
        stdout.read_to_string(&mut line).expect("it writes text");
        Run {
            code: status.code(),
            account: serde_json::from_str(&line).unwrap_or_default(),
            stderr: stderr.join().expect("no panic").expect("it is read"),
        }
    }
}

impl Run {
    /// A field of the line that it ended with, if it came to that.
    pub(super) fn number(&self, field: &str) -> Option<usize> {
        self.account[field].as_u64().and_then(|number| usize::try_from(number).ok())
    }

    /// How it ended, in place of an account.
    pub(super) fn ending(&self) -> String {
        self.code.map_or_else(|| "killed".to_owned(), |code| format!("exit code {code}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ending, account) = (self.ending(), &self.account);
        write!(f, "{ending}, {account} {}", self.stderr.trim().replace('\n', "\n    "))
    }
}

/// The value of `OTEL_EXPORTER_OTLP_PROTOCOL`.
pub(super) fn variable(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http/protobuf",
        Protocol::Grpc => "grpc",
    }
}

/// Waits for it, but not for ever.
fn ended(program: &mut Child) -> ExitStatus {
    let waiting = Instant::now();
    while waiting.elapsed() < Duration::from_secs(30) {
        if let Some(status) = program.try_wait().expect("it is ours") {
            return status;
        }
        thread::sleep(Duration::from_millis(20));
    }
    program.kill().expect("it is ours");
    program.wait().expect("it is ours")
}
