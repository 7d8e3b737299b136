//! What an annotated function needs of memory: what it adds to the future of the function that awaits
//! it, and to the stack while telemetry is off.

use crate::table::{Row, Table};

const PEERS: [&str; 3] = ["spandrel", "#[tracing::instrument]", "not annotated"];
const INSTRUMENT: usize = 1;

pub(crate) const FUTURE: &str = "a nested async function's part of a future";
pub(crate) const FRAME: &str = "a frame on the stack, telemetry off";

/// To be called before anything is installed.
pub(crate) fn measure() -> Table {
    let mut table = Table::new("bytes a function", PEERS.map(str::to_owned).to_vec(), INSTRUMENT);
    for (name, sizes) in [
        (FUTURE, [spandrel::future(), instrument::future(), plain::future()]),
        (FRAME, [spandrel::frame(), instrument::frame(), plain::frame()]),
    ] {
        let values = sizes.map(|bytes| Some(bytes as f64)).to_vec();
        table.rows.push(Row { name: name.to_owned(), values });
    }
    table
}

/// The same functions, with this attribute or with none.
macro_rules! functions {
    ($module:ident $(, #[$attribute:meta])?) => {
        mod $module {
            use std::hint::black_box;

            $(#[$attribute])?
            async fn outer(number: u64) -> u64 {
                middle(number).await
            }

            $(#[$attribute])?
            async fn middle(number: u64) -> u64 {
                inner(number).await
            }

            $(#[$attribute])?
            async fn inner(number: u64) -> u64 {
                std::future::ready(number).await
            }

            /// What the outer function adds to the future of the one in the middle.
            pub(super) fn future() -> usize {
                size_of_val(&outer(1)) - size_of_val(&middle(1))
            }

            /// Calls itself so often; where on the stack the innermost call has its variable.
            $(#[$attribute])?
            #[inline(never)]
            fn innermost(calls: u64) -> usize {
                let local = black_box(calls);
                let here = std::ptr::from_ref(black_box(&local)).addr();
                let innermost = if calls == 0 { here } else { innermost(calls - 1) };
                black_box(local);
                innermost
            }

            /// How far the same variable of two calls, one within the other, lies apart.
            pub(super) fn frame() -> usize {
                innermost(2).abs_diff(innermost(3))
            }
        }
    };
}

functions!(plain);
functions!(instrument, #[tracing::instrument(skip_all)]);
functions!(spandrel, #[::spandrel::span]);
