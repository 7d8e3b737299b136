//! What it costs that failed traces are kept: `#[span]` in two states, which take turns.

use crate::hot::{self, medians, turns};
use crate::peers::ours::Ours;
use crate::peers::{Peer, State, Work};
use crate::table::{Row, Table};

pub(crate) const SAMPLED: &str = "sampled";
pub(crate) const KEPT: &str = "not sampled, kept on error";

const STATES: [State; 2] = [State::Sampled, State::KeptOnError];
const WORKS: [Work; 2] = [Work::Tree, Work::Threads8];
/// How many samples are measured each time that a state is set up.
const SAMPLES: usize = 6;

/// The CPU time of the recording threads.
pub(crate) fn measure(rounds: usize) -> Table {
    let cells: Vec<_> =
        WORKS.into_iter().flat_map(|work| STATES.map(|state| (work, state))).collect();
    let mut all = vec![Vec::new(); cells.len()];
    for index in turns(rounds.div_ceil(SAMPLES), cells.len()) {
        let (work, state) = cells[index];
        let _set_up = Ours.set_up(state, hot::queue(work));
        // The first sample finds nothing ready.
        hot::sample(&Ours, state, work);
        all[index].extend((0..SAMPLES).filter_map(|_| hot::sample(&Ours, state, work)));
    }
    let head = vec![SAMPLED.to_owned(), KEPT.to_owned()];
    let mut table = Table::new("spandrel: CPU time of the recording threads, ns a span", head, 0);
    for (work, values) in WORKS.into_iter().zip(medians(all).chunks(STATES.len())) {
        table.rows.push(Row { name: format!("{work:?}"), values: values.to_vec() });
    }
    table
}
