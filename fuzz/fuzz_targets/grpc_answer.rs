//! The answer of a collector over gRPC: status, message, details.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (status, message, details) = input;
    fuzzing::grpc_answer(status, message, details);
});
