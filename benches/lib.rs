//! What a span costs: `cargo bench -p spandrel-benches`.
