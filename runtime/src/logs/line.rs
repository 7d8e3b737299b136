//! One record as text for a reader, or as JSON for a machine.

use std::fmt::{self, Display, Formatter, Write as _};
use std::io::Write;
use std::sync::OnceLock;
use std::time::SystemTime;

use opentelemetry::trace::SpanContext;
use serde_json::{Value, json};

use crate::clean::steers;

/// What lines look like in this process; JSON, until it is said.
pub(super) static FORMAT: OnceLock<LogFormat> = OnceLock::new();

#[derive(Clone, Copy, Debug)]
pub(super) enum LogFormat {
    #[cfg_attr(not(feature = "logs"), expect(dead_code))]
    Text,
    Json,
}

#[derive(Debug)]
pub(super) struct LogLine<'a> {
    pub(super) time: SystemTime,
    pub(super) level: &'a str,
    pub(super) target: &'a str,
    pub(super) message: String,
    pub(super) fields: Vec<(String, Value)>,
    pub(super) span: SpanContext,
}

impl LogLine<'_> {
    /// Standard error may be closed: then there is nobody to tell.
    pub(super) fn write(&self) {
        let line = match FORMAT.get().unwrap_or(&LogFormat::Json) {
            LogFormat::Text => format!("{}\n", TextLine(self)),
            LogFormat::Json => format!("{}\n", JsonLine(self)),
        };
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn timestamp(&self) -> impl Display {
        humantime::format_rfc3339_micros(self.time)
    }

    /// The trace's fields, named by the specification for formats other than OTLP.
    fn ids(&self) -> impl Iterator<Item = (&'static str, String)> {
        let span = &self.span;
        let ids = span.is_valid().then(|| {
            [
                ("trace_id", span.trace_id().to_string()),
                ("span_id", span.span_id().to_string()),
                ("trace_flags", format!("{:02x}", span.trace_flags().to_u8())),
            ]
        });
        ids.into_iter().flatten()
    }
}

struct JsonLine<'a>(&'a LogLine<'a>);

impl Display for JsonLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(line) = self;
        write!(f, r#"{{"timestamp":"{}","level":"{}""#, line.timestamp(), line.level)?;
        write!(f, r#","target":{},"message":{}"#, json!(line.target), json!(line.message))?;
        for (index, (name, value)) in line.fields.iter().enumerate() {
            f.write_str(if index == 0 { r#","fields":{"# } else { "," })?;
            write!(f, "{}:{value}", json!(name))?;
        }
        if !line.fields.is_empty() {
            f.write_char('}')?;
        }
        for (name, id) in line.ids() {
            write!(f, r#","{name}":"{id}""#)?;
        }
        f.write_char('}')
    }
}

struct TextLine<'a>(&'a LogLine<'a>);

impl Display for TextLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(line) = self;
        write!(f, "{} {:>5} {}: ", line.timestamp(), line.level, line.target)?;
        harmless(f, &line.message)?;
        for (name, value) in &line.fields {
            write!(f, " {name}=")?;
            match value {
                Value::String(text) if is_word(text) => f.write_str(text)?,
                Value::String(text) => write!(f, "{text:?}")?,
                other => write!(f, "{other}")?,
            }
        }
        line.ids().try_for_each(|(name, id)| write!(f, " {name}={id}"))
    }
}

/// A message may have lines, and must not steer the terminal.
fn harmless(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|c| match c {
        '\n' | '\t' => f.write_char(c),
        c if steers(c) => write!(f, "{}", c.escape_debug()),
        c => f.write_char(c),
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !steers(c) && c != '"')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn line(message: &str, fields: &[(&str, Value)], span: SpanContext) -> LogLine<'static> {
        LogLine {
            time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_000_000_000_000_001),
            level: "INFO",
            target: "shop",
            message: message.to_owned(),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            span,
        }
    }

    fn span() -> SpanContext {
        let (trace, span) = (TraceId::from(0xa), SpanId::from(0xb));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    #[test]
    fn json_is_one_object_a_line() {
        let fields = [("user", json!("Ada\n")), ("cents", json!(990))];
        assert_eq!(
            JsonLine(&line("paid \"now\"", &fields, span())).to_string(),
            r#"{"timestamp":"2001-09-09T01:46:40.000001Z","level":"INFO","target":"shop","message":"paid \"now\"","fields":{"user":"Ada\n","cents":990},"trace_id":"0000000000000000000000000000000a","span_id":"000000000000000b","trace_flags":"01"}"#
        );
        assert_eq!(
            JsonLine(&line("paid", &[], SpanContext::NONE)).to_string(),
            r#"{"timestamp":"2001-09-09T01:46:40.000001Z","level":"INFO","target":"shop","message":"paid"}"#
        );
    }

    #[test]
    fn text_is_for_reading() {
        let fields = [("user", json!("Ada")), ("note", json!("two words")), ("ok", json!(true))];
        assert_eq!(
            TextLine(&line("paid", &fields, span())).to_string(),
            "2001-09-09T01:46:40.000001Z  INFO shop: paid user=Ada note=\"two words\" ok=true \
             trace_id=0000000000000000000000000000000a span_id=000000000000000b trace_flags=01"
        );
        let turned = TextLine(&line("a\u{202e}b", &[], SpanContext::NONE)).to_string();
        assert!(turned.ends_with("a\\u{202e}b"), "{turned}");
        let steered = TextLine(&line("red\u{1b}[31m\nhere", &[], SpanContext::NONE)).to_string();
        assert!(steered.ends_with("red\\u{1b}[31m\nhere"), "{steered}");
    }
}
