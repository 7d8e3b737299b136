//! What is round a secret in headers and URLs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: (&str, &str)| {
    let (before, after) = input;
    fuzzing::secrets(before, after);
});
