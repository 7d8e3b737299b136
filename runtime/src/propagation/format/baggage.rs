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

#[cfg(test)]
mod tests {
    use super::*;

    fn passed_on(headers: &[&str]) -> String {
        print(&parse(headers))
    }

    fn value(header: &str) -> Option<String> {
        parse(&[header]).iter().next().map(|(_, (value, _))| value.as_str().to_owned())
    }

    #[test]
    fn what_is_valid_is_passed_on() {
        for header in [
            "",
            "a=1",
            "a=",
            "a=1,b=2",
            "!#$%&'*+-.^_`|~09AZaz=1",
            "a=1;p;q=%20r;s=",
            "a=%20%22%25%2B%2C%3B%3D%5C%0A%C3%BC!#$&'()*-./:<>?@[]^_`{|}~",
        ] {
            assert_eq!(passed_on(&[header]), header);
        }
        assert_eq!(passed_on(&["b=2", "a=1"]), "a=1,b=2", "in the order of the keys");
        assert_eq!(passed_on(&["a=1,a=2"]), "a=2");
    }

    #[test]
    fn values_are_decoded() {
        for (written, read) in
            [("a=b=c+d", "b=c+d"), ("a=%22%FF%C3%BC", "\"\u{fffd}ü"), ("a=%", "%")]
        {
            assert_eq!(value(written).as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn whitespace_is_no_part_of_anything() {
        assert_eq!(passed_on(&["\t a \t= 1 ; p \t; q\t=\tr ;; , b=2 "]), "a=1;p;q=r,b=2");
    }

    #[test]
    fn malformed_members_are_left_out() {
        for malformed in [
            "",
            "b",
            "=2",
            "b c=2",
            "b=2 3",
            "b=\"2\"",
            "b=2\\3",
            "b=ü",
            "ü=2",
            "(=2",
            "b=2;p q",
            "b=2;=q",
            "b=2;p=\"q\"",
            "b=\u{fffd}",
            "b=\u{7f}",
        ] {
            assert_eq!(passed_on(&[&format!("a=1,{malformed},c=3")]), "a=1,c=3", "{malformed}");
        }
    }

    #[test]
    fn as_much_is_read_as_there_is_room_for() {
        let member = |key, length: usize| format!("{key}={}", "v".repeat(length - 2));
        let (a, b) = (member("a", 4000), member("b", LONGEST - 4001));
        let all = format!("{a},{b}");
        assert_eq!(all.len(), LONGEST);
        assert_eq!(passed_on(&[&all]), all);
        assert_eq!(passed_on(&[&a, &b]), all);
        assert_eq!(passed_on(&[&format!("{all}v")]), a);
        assert_eq!((parse(&[&all]).len(), parse(&[&format!("{all}v")]).len()), (2, 1));
        let after = |members| parse(&[&format!("{}b=2", "a=1,".repeat(members))]).len();
        assert_eq!((after(2047), after(2048)), (2, 1), "commas are bytes too");
        assert_eq!(passed_on(&[&a, &format!("{b}v"), "c=3"]), a, "and nothing after it");
        assert_eq!(passed_on(&[&a, &member("b", 4190), "c"]), format!("{a},{}", member("b", 4190)));
    }

    #[test]
    fn as_much_is_written_as_there_is_room_for() {
        let mut baggage = Baggage::new();
        baggage.insert("a", "%".repeat(LONGEST / 3 + 1));
        baggage.insert("b", "2");
        assert!(print(&baggage) == "b=2", "it grows when it is encoded");
        let mut baggage = Baggage::new();
        baggage.insert("a", "v".repeat(4094));
        baggage.insert("b", "v".repeat(4093));
        assert_eq!(print(&baggage).len(), LONGEST);
    }

    #[test]
    fn what_is_set_cannot_make_a_header_that_is_malformed() {
        let mut baggage = Baggage::new();
        baggage.insert_with_metadata("a", "1\r\nb=2", "p\r\nq");
        assert_eq!(print(&baggage), "a=1%0D%0Ab%3D2");
    }
}
