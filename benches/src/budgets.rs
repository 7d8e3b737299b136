//! The project's budgets: what a span and an annotated function may cost at most, and whether they do.

use std::fmt::Write as _;
use std::fs;

use crate::exporting::{self, DELIVERED, RECORDING};
use crate::kept::{KEPT, SAMPLED};
use crate::peers::Work;
use crate::sizes::{FRAME, FUTURE};
use crate::table::Table;

const OURS: &str = "spandrel";
const HAND: &str = "SDK by hand";
const LEAN: &str = "tracing, lean";
const STOCK: &str = "stock";
const HEAD: &str = "\
| budget | at most | at rest | while exporting | | harness: row | batch | clock |
| --- | --: | --: | --: | --- | --- | --: | --- |
";
/// The spans of a burst that budgets are for.
const BURST: u32 = 3_300;
const DEFAULT_BATCH: &str = "512";
const NONE: &str = "–";

/// A promise about one or two measurements.
struct Budget {
    name: &'static str,
    at_rest: Option<Measurement>,
    exporting: Option<Measurement>,
    /// The spans of a batch, if any is exported.
    batch: &'static str,
    /// Whether times are recorded.
    reads_the_clock: bool,
}

struct Measurement {
    most: f64,
    /// `None` if it was not measured.
    value: Option<f64>,
    harness: &'static str,
    row: String,
}

pub(crate) fn table<'a>(tables: impl Iterator<Item = &'a Table>) -> String {
    let found = Found(tables.collect());
    let clock = clock();
    let budgets = [recorded(&found), unrecorded(&found), exported(&found), built(&found)];
    let mut text = HEAD.to_owned();
    for budget in budgets.iter().flatten() {
        let _ = writeln!(text, "{}", budget.row(&clock));
    }
    text
}

/// The clock by which spans are recorded: the processor's counter, if that is what the system's clock reads.
pub(crate) fn clock() -> String {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = fs::read_to_string(source).unwrap_or_default();
    match source.trim() {
        "tsc" if cfg!(target_arch = "x86_64") => "time-stamp counter".to_owned(),
        "" => "system clock (of an unknown source)".to_owned(),
        source => format!("system clock ({source})"),
    }
}

/// What was measured.
struct Found<'a>(Vec<&'a Table>);

impl Found<'_> {
    fn value(&self, row: &str, column: &str) -> Option<f64> {
        self.0.iter().find_map(|table| table.value(row, column))
    }

    /// Ours, of the other's.
    fn of(&self, row: &str, other: &str) -> Option<f64> {
        Some(self.value(row, OURS)? / self.value(row, other)?)
    }
}

/// What sampled spans cost the thread that records them, of what the same cost in another way.
fn recorded(found: &Found<'_>) -> Vec<Budget> {
    let budgets = [
        ("sampled tree, of the SDK by hand", Work::Tree, HAND, [0.70, 0.80]),
        ("twenty attributes, of the SDK by hand", Work::Attributes20, HAND, [0.80; 2]),
        ("an error, of the SDK by hand", Work::Error, HAND, [0.80; 2]),
        ("ten polls, of the SDK by hand", Work::Poll10, HAND, [0.95; 2]),
        ("sampled tree, of lean `tracing-opentelemetry`", Work::Tree, LEAN, [0.30; 2]),
    ];
    let budgets = budgets.map(|(name, work, other, [at_rest, exporting])| {
        let (resting, burst) =
            (format!("Sampled/{work:?}"), exporting::row(work, BURST, RECORDING));
        let value = found.of(&resting, other);
        let at_rest = Measurement { most: at_rest, value, harness: "hot", row: resting };
        let value = found.of(&burst, other);
        let exporting = Measurement { most: exporting, value, harness: "exporting", row: burst };
        Budget { exporting: Some(exporting), ..Budget::at_rest(name, at_rest) }
    });
    budgets.into()
}

/// What spans cost that are not exported.
fn unrecorded(found: &Found<'_>) -> Vec<Budget> {
    let hot = |most, value, row: &str| Measurement { most, value, harness: "hot", row: row.into() };
    let kept = |most, value, row: &str| Measurement { harness: "kept", ..hot(most, value, row) };
    let [off, root, deep] = ["NotInstalled/Tree", "Unsampled/Success", "Unsampled/Depth50"];
    // Of fifty spans the first is a root.
    let child = || Some((50.0 * found.value(deep, OURS)? - found.value(root, OURS)?) / 49.0);
    let tree = found.value("Tree", KEPT);
    let of_sampled = || Some(tree? / found.value("Tree", SAMPLED)?);
    let of_one_thread = || Some(found.value("Threads8", KEPT)? / tree?);
    let budgets = [
        ("a root that is not sampled, of the SDK's", hot(0.50, found.of(root, HAND), root)),
        ("kept on error, of a span that is sampled", kept(1.2, of_sampled(), "Tree")),
        ("kept on error, eight threads of one", kept(1.5, of_one_thread(), "Threads8")),
        ("not installed, ns a span", hot(2.0, found.value(off, OURS), off)),
        ("child of a span that is not sampled, ns", hot(10.0, child(), deep)),
    ];
    let budgets = budgets.map(|(name, measurement)| Budget {
        batch: NONE,
        reads_the_clock: measurement.harness == "kept",
        ..Budget::at_rest(name, measurement)
    });
    budgets.into()
}

/// What spans cost until they are delivered, and what they cost a service.
fn exported(found: &Found<'_>) -> Vec<Budget> {
    let of_gzip = || {
        Some(
            found.value("http/protobuf, zstd", OURS)?
                / found.value("http/protobuf, gzip", STOCK)?,
        )
    };
    let paced = |most, compression: &str, value: Option<f64>| {
        let row = format!("http/protobuf, {compression}");
        let value = value.or_else(|| found.of(&row, STOCK));
        Measurement { most, value, harness: "delivered", row }
    };
    let burst = exporting::row(Work::Tree, BURST, DELIVERED);
    let value = found.of(&burst, HAND);
    let burst = Measurement { most: 0.30, value, harness: "exporting", row: burst };
    let service = |most, what: &str, other: Option<&str>| {
        let row = format!("saturated, spans a request: 10; {what}");
        let value = match other {
            Some(other) => found.of(&row, other),
            None => found.value(&row, OURS),
        };
        Measurement { most, value, harness: "service", row }
    };
    let work = service(1.45, "the service's thread, µs a request", Some("without tracing"));
    let budgets = [
        ("delivered over HTTP, of stock", DEFAULT_BATCH, paced(0.30, "none", None)),
        ("delivered over HTTP in bursts, of stock", DEFAULT_BATCH, burst),
        ("delivered with gzip, of stock with gzip", DEFAULT_BATCH, paced(0.30, "gzip", None)),
        ("delivered with zstd, of stock with gzip", DEFAULT_BATCH, paced(0.25, "zstd", of_gzip())),
        ("axum with ten spans a request, of none", "4096", work),
        ("spans lost at saturation", "4096", service(0.0, "spans lost", None)),
    ];
    let budgets = budgets.map(|(name, batch, measurement)| Budget {
        name,
        at_rest: None,
        exporting: Some(measurement),
        batch,
        reads_the_clock: true,
    });
    budgets.into()
}

/// What annotated functions need of memory and of the compiler.
fn built(found: &Found<'_>) -> Vec<Budget> {
    let size = |most, row: &str| {
        let value = found.value(row, OURS);
        Measurement { most, value, harness: "sizes", row: row.into() }
    };
    let [ours, instrument] = ["`#[span]`, which records errors", "`#[tracing::instrument]`"];
    let script = |most, value, row: &str| Measurement {
        most,
        value,
        harness: "compile-time.sh",
        row: row.into(),
    };
    let code = found.value(ours, "kB of program a function");
    let seconds = |row| found.value(row, "to build, s");
    let time = || Some(seconds(ours)? / seconds(instrument)?);
    let budgets = [
        ("a nested async function's part of a future, bytes", size(112.0, FUTURE)),
        ("a frame on the stack, telemetry off, bytes", size(128.0, FRAME)),
        ("code a function, kB", script(2.2, code, ours)),
        ("time to compile, of `#[tracing::instrument]`", script(1.0, time(), ours)),
    ];
    let budgets = budgets.map(|(name, measurement)| Budget {
        batch: NONE,
        reads_the_clock: false,
        ..Budget::at_rest(name, measurement)
    });
    budgets.into()
}

impl Budget {
    fn at_rest(name: &'static str, measurement: Measurement) -> Self {
        Self {
            name,
            at_rest: Some(measurement),
            exporting: None,
            batch: DEFAULT_BATCH,
            reads_the_clock: true,
        }
    }

    fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.at_rest.iter().chain(&self.exporting)
    }

    fn row(&self, clock: &str) -> String {
        let cell = |measurement: &Option<Measurement>| {
            let measurement = measurement.as_ref();
            measurement.map_or(NONE.into(), |found| found.number(found.value.unwrap_or(f64::NAN)))
        };
        let mut most: Vec<_> = self.measurements().map(|found| found.number(found.most)).collect();
        most.dedup();
        let rows: Vec<_> =
            self.measurements().map(|found| format!("{}: {}", found.harness, found.row)).collect();
        let clock = if self.reads_the_clock { clock } else { NONE };
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {clock} |",
            self.name,
            most.join(", "),
            cell(&self.at_rest),
            cell(&self.exporting),
            self.verdict(),
            rows.join("<br>"),
            self.batch,
        )
    }

    fn verdict(&self) -> &'static str {
        if self.measurements().any(|found| found.value.is_none()) {
            "not measured"
        } else if self.measurements().all(|found| found.value <= Some(found.most)) {
            "kept"
        } else {
            "**not kept**"
        }
    }
}

impl Measurement {
    fn number(&self, value: f64) -> String {
        let digits = if self.most > 10.0 { 0 } else { 2 };
        if value.is_nan() { NONE.to_owned() } else { format!("{value:.digits$}") }
    }
}
