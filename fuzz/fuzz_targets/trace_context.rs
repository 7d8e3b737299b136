//! A `TraceContext` in JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: &[u8]| {
    fuzzing::trace_context(input);
});
