//! “Baggage HTTP Header Format” and “Mutating baggage”, of W3C Baggage.

use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use spandrel::{Carrier, Context};

use super::{headers, pass, send, serve};

fn received(baggage: &[&str]) -> Context {
    let pairs: Vec<_> = baggage.iter().map(|value| ("baggage", *value)).collect();
    headers(&pairs).extract_context()
}

/// Keys and values, in the order of the keys.
fn entries(baggage: &[&str]) -> Vec<(String, String)> {
    let context = received(baggage);
    let entries = context.baggage().iter();
    let mut entries: Vec<_> =
        entries.map(|(key, (value, _))| (key.to_string(), value.to_string())).collect();
    entries.sort();
    entries
}

fn entry(baggage: &str) -> Option<String> {
    entries(&[baggage]).into_iter().next().map(|(_, value)| value)
}

fn is_passed_on(baggage: &str) {
    assert_eq!(pass(&headers(&[("baggage", baggage)])).baggage(), Some(baggage));
}

fn sent(baggage: Baggage) -> Option<String> {
    send(Context::new().with_baggage(baggage)).baggage().map(str::to_owned)
}

#[test]
fn header_content_is_passed_on_with_and_without_a_trace() {
    is_passed_on("isProduction=false,serverNode=DF%2028,userId=alice");
    let sent = serve(&headers(&[("baggage", "a=1")]));
    assert_eq!(sent.baggage(), Some("a=1"));
    assert_eq!(serve(&headers(&[])).baggage(), None);
}

#[test]
fn header_name_may_occur_several_times() {
    let all = [("a", "1"), ("b", "2"), ("c", "3")];
    assert_eq!(entries(&["a=1", "b=2,c=3"]), all.map(|(k, v)| (k.to_owned(), v.to_owned())));
}

#[test]
fn baggage_string_malformed_members_are_left_out() {
    for bad in
        ["", "b", "b;p", "=2", "b c=2", "b=2 3", "b=\"2\"", "b=2\\3", "b=ü", "b=2;p q", "b=2;=q"]
    {
        let context = received_text(&format!("{bad},a=1"));
        assert_eq!(context.baggage().len(), 1, "{bad}");
        assert_eq!(context.baggage().get("a"), Some(&"1".into()), "{bad}");
    }
}

/// As one text that no header need be able to hold.
fn received_text(baggage: &str) -> Context {
    [("baggage", baggage)][..].extract_context()
}

#[test]
fn baggage_string_keeps_the_last_of_the_members_with_one_key() {
    assert_eq!(entries(&["a=1,a=2", "a=3"]), [("a".to_owned(), "3".to_owned())]);
}

#[test]
fn key_is_a_token() {
    is_passed_on("!#$%&'*+-.^_`|~09AZaz=1");
    for key in ["(", ")", "/", ":", "<", "@", "[", "{", "\u{7f}", "ü"] {
        assert_eq!(received_text(&format!("a{key}=1")).baggage().len(), 0, "{key}");
    }
    assert_eq!(entries(&["%41=1"]), [("%41".to_owned(), "1".to_owned())], "it is not encoded");
}

#[test]
fn key_and_value_lose_the_whitespace_round_them() {
    assert_eq!(
        entries(&[" \ta \t= \t1\t ;p=q , b = 2"]),
        [("a", "1"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}

#[test]
fn value_is_percent_encoded() {
    assert_eq!(entry("a=%22%2C%3B%5C%20%C3%BC%25").as_deref(), Some("\",;\\ ü%"));
    assert_eq!(entry("a=100%25").as_deref(), Some("100%"));
    is_passed_on("a=%22%2C%3B%5C%20%C3%BC%25%0D%0A");
    is_passed_on("a=%20inner%20");
}

/// Python's reader takes a plus sign for a space.
#[test]
fn value_has_a_plus_sign_encoded() {
    for received in ["a=1+2", "a=1%2B2"] {
        assert_eq!(entry(received).as_deref(), Some("1+2"));
        assert_eq!(pass(&headers(&[("baggage", received)])).baggage(), Some("a=1%2B2"));
    }
    is_passed_on("a+b=1;p=q+r");
}

#[test]
fn value_that_is_no_utf_8_has_replacement_characters() {
    assert_eq!(entry("a=1%FF2").as_deref(), Some("1\u{fffd}2"));
}

#[test]
fn value_may_be_empty_and_may_contain_equals() {
    assert_eq!(entry("a=").as_deref(), Some(""));
    assert_eq!(entry("a=b=c==").as_deref(), Some("b=c=="));
}

#[test]
fn property_is_kept_as_it_is() {
    is_passed_on("a=1;p1;p2=%0D%0A%20=;p3=");
    let context = received(&["a=1 ; p1 ;\tp2 = q ;, b=2"]);
    let (_, metadata) = context.baggage().get_with_metadata("a").expect("an entry");
    assert_eq!(metadata.as_str(), "p1;p2=q");
}

#[test]
fn limits_64_members_are_passed_on_and_no_more() {
    let members = |count| (0..count).map(|n| format!("k{n:05}=v")).collect::<Vec<_>>().join(",");
    is_passed_on(&members(64));
    let sent = pass(&headers(&[("baggage", &members(65))]));
    assert_eq!(sent.baggage(), Some(&*members(64)));
    let sent = pass(&headers(&[("baggage", &members(1000))]));
    assert_eq!(sent.baggage(), Some(&*members(64)));
}

#[test]
fn limits_8192_bytes_are_passed_on_and_no_more() {
    let (a, b) = (format!("a={}", "v".repeat(4000)), format!("b={}", "v".repeat(8192 - 4005)));
    let both = format!("{a},{b}");
    assert_eq!(both.len(), 8192);
    is_passed_on(&both);
    let more = format!("{both}v");
    assert_eq!(pass(&headers(&[("baggage", &more)])).baggage(), Some(&*a));
    let several = [("baggage", &*a), ("baggage", &b), ("baggage", "c=1")];
    assert_eq!(pass(&headers(&several)).baggage(), Some(&*both));
}

#[test]
fn limits_hold_for_what_grows_when_it_is_encoded() {
    let mut baggage = Baggage::new();
    baggage.insert("a", "%".repeat(3000));
    baggage.insert("b", "2");
    assert_eq!(sent(baggage).as_deref(), Some("b=2"));
}

#[test]
fn mutating_cannot_make_a_header_that_is_not_valid() {
    let mut baggage = Baggage::new();
    baggage.insert_with_metadata("a", "1\r\nb=2", BaggageMetadata::from("p\r\nset-cookie: c"));
    assert_eq!(sent(baggage).as_deref(), Some("a=1%0D%0Ab%3D2"));
}

#[test]
fn mutating_malformed_baggage_keeps_what_there_was() {
    let mut baggage = Baggage::new();
    baggage.insert("a", "1");
    let attached = Context::new().with_baggage(baggage).attach();
    assert_eq!(received(&["nonsense"]).baggage().len(), 1);
    assert_eq!(received(&["b=2"]).baggage().get("a"), None, "what comes in replaces it");
    drop(attached);
}
