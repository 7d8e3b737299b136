//! Answers of collectors.

use std::error::Error;
use std::io;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

use crate::config::Otlp;
use crate::exporter::Answer;
use crate::report::line;

/// The answer in a message that says that the request was taken.
pub(super) fn taken(response: ExportTraceServiceResponse) -> Answer {
    let partial = response.partial_success.unwrap_or_default();
    let rejected = usize::try_from(partial.rejected_spans).unwrap_or_default();
    let meaning = if rejected > 0 { "some spans were rejected" } else { "a warning" };
    let says = rejected > 0 || !partial.error_message.is_empty();
    Answer::Taken { rejected, message: says.then(|| told(meaning, &partial.error_message)) }
}

/// A request that nobody answered, and may be made again; with a hint where the connection was
/// closed without a reason.
pub(super) fn unanswered(error: &(dyn Error + 'static), hint: &str) -> Answer {
    let mut why = line(&root_cause(error));
    if ["connection closed", "broken pipe"].iter().any(|closed| why.contains(closed)) {
        why.push_str(hint);
    }
    Answer::Unavailable { why, retry_after: None }
}

/// What may be wrong when connections are closed.
pub(super) fn hint(settings: &Otlp) -> &'static str {
    #[cfg(feature = "tls")]
    if settings.is_https() {
        return super::tls::hint(&settings.tls);
    }
    let _ = settings;
    ""
}

/// What a collector says, behind what it means; fit for one line.
pub(super) fn told(meaning: &str, message: &str) -> String {
    match line(message).as_str() {
        "" => meaning.to_owned(),
        message => format!("{meaning}: {message}"),
    }
}

/// The cause of all causes: libraries wrap it in what everybody knows, and in the URL.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = source(cause) {
        cause = source;
    }
    #[cfg(feature = "tls")]
    return super::tls::explain(cause);
    #[cfg(not(feature = "tls"))]
    cause.to_string()
}

/// An I/O error passes over the error that it was made from.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
