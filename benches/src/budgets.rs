//! What was promised, and whether it is kept.

use std::fmt::Write as _;

use crate::table::Table;

const OURS: &str = "spandrel";
const HAND: &str = "SDK by hand";
const LEAN: &str = "tracing, lean";
const STOCK: &str = "stock";

pub(crate) fn table(tables: &[Table]) -> String {
    let value = |row: &str, column: &str| {
        let found = tables.iter().find_map(|table| table.value(row, column));
        found.unwrap_or(f64::NAN)
    };
    let ratio = |row: &str, to: &str| value(row, OURS) / value(row, to);
    let saturated = "saturated, spans a request: 10; requests a second";
    let http = |compression: &str| format!("http/protobuf, {compression}");
    let poll = |peer| (value("Sampled/Poll10", peer) - value("Sampled/Poll1", peer)) / 9.0;
    // Of fifty the first is a root.
    let child = (50.0 * value("Unsampled/Depth50", OURS) - value("Unsampled/Success", OURS)) / 49.0;
    let budgets = [
        ("not installed, a span, ns", 2.0, value("NotInstalled/Tree", OURS)),
        ("not installed, of `tracing` without a subscriber", 3.0, ratio("NotInstalled/Tree", LEAN)),
        ("child of an unsampled span, ns", 10.0, child),
        ("sampled, of the SDK by hand", 1.0, ratio("Sampled/Tree", HAND)),
        ("sampled, of lean `tracing-opentelemetry`", 0.4, ratio("Sampled/Tree", LEAN)),
        ("a poll of a sampled span, of `with_context`", 1.0, poll(OURS) / poll(HAND)),
        ("delivered over HTTP, of stock", 0.9, ratio(&http("none"), STOCK)),
        ("delivered with gzip, of stock", 0.6, ratio(&http("gzip"), STOCK)),
        (
            "delivered with zstd, of stock with gzip",
            0.5,
            value(&http("zstd"), OURS) / value(&http("gzip"), STOCK),
        ),
        (
            "requests a second without tracing, of those with ten spans each",
            1.0 / 0.9,
            value(saturated, "without tracing") / value(saturated, OURS),
        ),
        (
            "spans lost at saturation",
            0.0,
            value("saturated, spans a request: 10; spans lost", OURS),
        ),
    ];
    let mut text = "| budget | at most | measured | |\n| --- | --: | --: | --- |\n".to_owned();
    for (name, most, measured) in budgets {
        let kept = if measured <= most { "kept" } else { "**not kept**" };
        let _ = writeln!(text, "| {name} | {most:.2} | {measured:.2} | {kept} |");
    }
    text
}
