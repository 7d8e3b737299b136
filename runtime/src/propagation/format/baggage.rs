//! `baggage`, of [W3C Baggage](https://www.w3.org/TR/baggage/).

use std::borrow::Cow;

use opentelemetry::baggage::Baggage;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

pub(super) const NAME: &str = "baggage";

/// The other limit, 64 members, is what a `Baggage` holds.
const LONGEST: usize = 8192;

/// The characters of a value that are percent-encoded. W3C Baggage allows `=` and `+` as they are, but
/// there are readers that stop at `=`, and Python's reads `+` as a space.
const ENCODED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'+').add(b',').add(b';').add(b'=').add(b'\\');

/// The members of these headers, as many as there is room for; those that are malformed are left out.
pub(super) fn parse(headers: &[&str]) -> Baggage {
    let mut left = LONGEST + 1;
    let members = headers.iter().flat_map(|header| header.split(','));
    let within_limit = members.take_while(|member| {
        let fits = member.len() < left;
        left = left.saturating_sub(member.len() + 1);
        fits
    });
    let mut baggage = Baggage::new();
    for (key, value, properties) in within_limit.filter_map(member) {
        baggage.insert_with_metadata(key.to_owned(), value.into_owned(), properties);
    }
    baggage
}

fn member(text: &str) -> Option<(&str, Cow<'_, str>, String)> {
    let mut parts = text.split(';');
    let (key, value) = pair(parts.next()?)?;
    let value = percent_decode_str(value?).decode_utf8_lossy();
    Some((key, value, properties(parts)?))
}

/// Properties are opaque: they stay encoded as they are.
fn properties<'a>(parts: impl Iterator<Item = &'a str>) -> Option<String> {
    let written = parts.filter(|part| !trim(part).is_empty());
    let properties = written.map(|part| {
        let (key, value) = pair(part)?;
        Some(value.map_or_else(|| key.to_owned(), |value| format!("{key}={value}")))
    });
    Some(properties.collect::<Option<Vec<_>>>()?.join(";"))
}

/// A key and, after `=`, a value.
fn pair(text: &str) -> Option<(&str, Option<&str>)> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (trim(key), Some(trim(value))),
        None => (trim(text), None),
    };
    let valid = is_token(key) && value.is_none_or(|value| value.bytes().all(is_octet));
    valid.then_some((key, value))
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_token(text: &str) -> bool {
    let special = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// A header of what fits into one, in the order of the keys.
pub(super) fn print(baggage: &Baggage) -> String {
    let mut members: Vec<_> = baggage.iter().collect();
    members.sort_by_key(|(key, _)| key.as_str());
    let mut header = String::new();
    for (key, (value, metadata)) in members {
        let value = utf8_percent_encode(value.as_str(), ENCODED);
        let properties = properties(metadata.as_str().split(';')).unwrap_or_default();
        let (comma, semicolon) = (separator(&header, ","), separator(&properties, ";"));
        let member = format!("{comma}{key}={value}{semicolon}{properties}");
        if header.len() + member.len() <= LONGEST {
            header.push_str(&member);
        }
    }
    header
}

fn separator<'a>(text: &str, between: &'a str) -> &'a str {
    if text.is_empty() { "" } else { between }
}
