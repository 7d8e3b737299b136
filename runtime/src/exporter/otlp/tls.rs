//! What goes wrong with TLS, so that the reader knows what to do.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use rustls::{CertificateError, Error as TlsError, InvalidMessage};

use crate::config::Tls;

/// This cause of a failure, which may lie in TLS or not.
pub(super) fn explain(cause: &(dyn Error + 'static)) -> String {
    let why = cause.downcast_ref().map_or_else(|| cause.to_string(), failure);
    if let Some(alert) = why.strip_prefix("received fatal alert: ") {
        return alerted(alert).unwrap_or(why);
    }
    if NO_ROOTS.contains(&why.as_str()) {
        return "the system trusts no authority; OTEL_EXPORTER_OTLP_CERTIFICATE can name one"
            .to_owned();
    }
    why
}

/// A server that does not like its client says so after the handshake, as it seems to the client,
/// whose HTTP/2 may notice no more than that the connection is closed.
pub(super) fn hint(settings: &Tls) -> &'static str {
    if settings.identity.is_some() {
        "; perhaps the client certificate is not accepted"
    } else {
        "; if a client certificate is wanted, set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and \
         OTEL_EXPORTER_OTLP_CLIENT_KEY"
    }
}

/// What the HTTP client and the one of gRPC call it.
const NO_ROOTS: [&str; 2] =
    ["No CA certificates were loaded from the system", "no native certs found"];

/// By its text: once TLS is up, HTTP/2 keeps no more of an error.
fn alerted(alert: &str) -> Option<String> {
    match alert {
        "CertificateRequired" => Some(
            "a client certificate is wanted; set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and \
             OTEL_EXPORTER_OTLP_CLIENT_KEY"
                .to_owned(),
        ),
        "BadCertificate"
        | "UnsupportedCertificate"
        | "CertificateRevoked"
        | "CertificateExpired"
        | "CertificateUnknown"
        | "UnknownCA"
        | "AccessDenied" => {
            Some(format!("the client certificate is missing or not accepted ({alert})"))
        }
        _ => None,
    }
}

fn failure(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(error) => distrust(error),
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "no TLS is spoken there; is it `http://`?".to_owned()
        }
        TlsError::General(what) => what.clone(),
        error => error.to_string(),
    }
}

/// Why a collector's certificate is not trusted.
fn distrust(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "the certificate is from an authority that is not \
             trusted; OTEL_EXPORTER_OTLP_CERTIFICATE can name it"
            .to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate has expired, on {}", date(not_after.as_secs()))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let date = date(not_before.as_secs());
            format!("the certificate is not valid before {date}; is the clock right?")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| plain(name)).collect();
            let names =
                if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            format!("the certificate is not for {}, but for {names}", expected.to_str())
        }
        // By its text: the error of the library below has no public type.
        error if format!("{error:?}").contains("CaUsedAsEndEntity") => {
            "the server uses the certificate of an authority (`CA:TRUE`), which clients reject; sign a separate \
             server certificate with that authority, and name the authority in OTEL_EXPORTER_OTLP_CERTIFICATE"
                .to_owned()
        }
        error => format!("the certificate is not trusted: {error}"),
    }
}

/// The dates of certificates end with the year 9999, as those of the formatter do.
fn date(seconds: u64) -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// `DnsName("collector")` without what is round the name.
fn plain(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}
