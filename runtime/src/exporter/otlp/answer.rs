//! Answers of collectors.

use std::error::Error;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

use crate::exporter::Answer;
use crate::report::one_line;

/// The answer in a message that says that the request was taken.
pub(super) fn taken(response: ExportTraceServiceResponse) -> Answer {
    let partial = response.partial_success.unwrap_or_default();
    let rejected = usize::try_from(partial.rejected_spans).unwrap_or_default();
    let why = || told("some spans were rejected", &partial.error_message);
    Answer::Taken { rejected: (rejected > 0).then(|| (rejected, why())) }
}

/// A request that nobody answered, and may be made again.
pub(super) fn unanswered(error: &(dyn Error + 'static)) -> Answer {
    Answer::Unavailable { why: root_cause(error), retry_after: None }
}

/// What a collector says, behind what it means; fit for one line.
pub(super) fn told(meaning: &str, message: &str) -> String {
    let message = one_line(message);
    match message.trim() {
        "" => meaning.to_owned(),
        message => format!("{meaning}: {message}"),
    }
}

/// The cause of all causes: libraries wrap it in what everybody knows, and in the URL.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
