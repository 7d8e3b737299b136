//! What annotated functions cost to build, as `benches/compile-time.sh` has measured it.

use std::fs;

use crate::table::{Row, Table};

/// The table in Markdown that the script has left where cargo builds; `None` if it has not run.
pub(crate) fn markdown() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    let target = program.parent()?.parent()?;
    fs::read_to_string(target.join("compile-time/table.md")).ok()
}

/// Its numbers, without the ratios in brackets.
pub(crate) fn table(markdown: &str) -> Table {
    let mut rows = markdown.lines().map(cells);
    let head = rows.next().unwrap_or_default().into_iter().skip(1).map(str::to_owned);
    let mut table = Table::new("to build", head.collect(), 0);
    table.rows = rows
        .filter_map(|cells| {
            let (name, cells) = cells.split_first()?;
            let number = |cell: &&str| cell.split(' ').next()?.parse().ok();
            Some(Row { name: (*name).to_owned(), values: cells.iter().map(number).collect() })
        })
        .collect();
    table
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}
