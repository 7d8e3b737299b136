//! OTLP over HTTP/protobuf, by `opentelemetry-otlp`, which reads the rest of the
//! `OTEL_EXPORTER_OTLP_*` variables itself: headers, timeout.

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};

/// An exporter to this URL, or what is wrong with it.
pub(crate) fn exporter(url: &str) -> Result<SpanExporter, String> {
    if url.starts_with("https://") && cfg!(not(feature = "tls")) {
        return Err("the URL is https://, and spandrel was built without its feature `tls`".into());
    }
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .build()
        .map_err(|error| error.to_string())
}
