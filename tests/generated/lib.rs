//! Functions composed from a grammar compile with the attributes whenever they do without, return the same,
//! and drop in the same order, whether they are recorded or not.

#[cfg(test)]
mod support;

#[cfg(test)]
// What the grammar writes, tidy or not.
#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unfulfilled_lint_expectations,
    unreachable_code,
    unused,
    unreachable_pub
)]
mod functions {
    include!(concat!(env!("OUT_DIR"), "/functions.rs"));
}

#[cfg(test)]
mod tests {
    use spandrel::testing::record;

    use super::functions::CALLS;
    use super::support::{keep_panics_quiet, log_of};

    #[test]
    fn functions_stay_what_they_are() {
        keep_panics_quiet();
        let (mut calls, mut spans) = (0, 0);
        for (name, source, plain, traced) in CALLS {
            for input in 0..6 {
                for way in 0..3 {
                    let expected = log_of(|| plain(input, way));
                    let found = log_of(|| traced(input, way));
                    let call = || format!("{name}, input {input}, way {way}:\n{source}");
                    assert_eq!(found, expected, "not recorded: {}", call());
                    let mut found = Vec::new();
                    let recording = record(|| found = log_of(|| traced(input, way)));
                    assert_eq!(found, expected, "recorded: {}", call());
                    calls += 1;
                    spans += recording.spans().len();
                }
            }
        }
        println!("{} functions compiled; {calls} calls made {spans} spans", CALLS.len());
        assert!(CALLS.len() >= 100 && spans > calls, "{} functions, {spans} spans", CALLS.len());
    }
}
