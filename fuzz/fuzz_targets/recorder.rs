//! Calls on spans, from several threads, and what the recorder's bytes say of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: &[u8]| fuzzing::recorder(input));
