//! Spans in a crate of edition 2021 that knows `spandrel` as `telemetry`.

#![deny(warnings)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use telemetry::{propagate, span};

/// A function with spans inside.
///
/// # Errors
/// When the text is no number.
#[span("parse", crate(telemetry), text.length = text.len())]
pub fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    #[span("first")]
    let first: u32 = text.parse()?;
    for _ in 0..2 {
        #[span("round")]
        if first == 0 {
            break;
        }
    }
    #[span("again")]
    text.parse()
}

/// A guard in a tail expression, which this edition drops last.
#[span(crate(telemetry))]
pub fn locked(numbers: &Mutex<Vec<u32>>) -> usize {
    #[span("counted")]
    numbers.lock().unwrap().len()
}

/// A function with an obligation.
///
/// # Safety
/// The pointer is good to read.
#[span(crate(telemetry), ok(|value| value = *value))]
pub unsafe fn read(pointer: *const u32) -> u32 {
    #[span("inside")]
    let value = unsafe { *pointer };
    value.max(unsafe { *pointer })
}

/// An unsafe function for others to call.
///
/// # Safety
/// The pointer is good to read.
#[span(crate(telemetry))]
pub unsafe extern "C" fn foreign(pointer: *const u32) -> u32 {
    // This edition needs no block for it.
    #[allow(unsafe_op_in_unsafe_fn)]
    read(pointer)
}

/// A boxed future, continuing a trace.
#[propagate(headers, crate(telemetry))]
#[span("boxed", crate(telemetry))]
pub fn boxed<'a>(
    headers: &'a [(&'a str, &'a str)],
) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { headers.len() })
}

/// A type whose every method is a span.
pub struct Counter(pub u32);

#[span(crate(telemetry))]
impl Counter {
    /// Counts on.
    pub async fn count(&mut self, #[record] by: u32) -> u32 {
        #[span("added")]
        {
            self.0 += by;
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use telemetry::testing::record;

    use super::*;

    #[test]
    fn spans_are_what_they_are_elsewhere() {
        let recording = record(|| {
            assert_eq!(parse("7"), Ok(7));
            assert_eq!(locked(&Mutex::new(vec![1])), 1);
            let number = 3;
            // SAFETY: it is a reference.
            unsafe {
                assert_eq!(read(&raw const number), 3);
                assert_eq!(foreign(&raw const number), 3);
            }
            assert_eq!(futures::executor::block_on(boxed(&[])), 0);
            assert_eq!(futures::executor::block_on(Counter(1).count(2)), 3);
        });
        let tree = "parse text.length=1\n├─ first\n├─ round\n├─ round\n└─ again\n\
                    locked\n└─ counted\nread value=3\n└─ inside\n\
                    foreign\n└─ read value=3\n   └─ inside\n\
                    boxed\nCounter::count by=2\n└─ added\n";
        assert_eq!(recording.to_string(), tree);
        let tree = record(|| parse("x")).to_string();
        assert_eq!(tree.matches("✗ invalid digit").count(), 2, "{tree}");
        assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
    }
}
