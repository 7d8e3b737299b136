//! The answer of a collector over HTTP: status, `content-type`, `retry-after`, body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spandrel::fuzzing;

fuzz_target!(|input: (u16, &[u8], &[u8], &[u8])| {
    let (status, content_type, retry_after, body) = input;
    fuzzing::http_answer(status, content_type, retry_after, body);
});
