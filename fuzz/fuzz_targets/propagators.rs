//! Headers that some propagator reads, by their number, with values of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: Vec<(u8, Vec<u8>)>| {
    fuzzing::propagators(&input);
});
