//! `traceparent`, `tracestate` and `baggage`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: (&str, &str, &str)| {
    let (traceparent, tracestate, baggage) = input;
    fuzzing::context(traceparent, tracestate, baggage);
});
