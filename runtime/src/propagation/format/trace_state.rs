//! `tracestate`, of [W3C Trace Context](https://www.w3.org/TR/trace-context-2/#tracestate-header).

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};

const MOST_MEMBERS: usize = 32;
/// Longer headers are not sent; others may not take them either.
const LONGEST: usize = 512;
/// Members longer than this go first where the header is too long.
const LARGE: usize = 128;

type Member<'a> = (&'a str, &'a str);

/// The members of these headers, joined; of a list that is not valid, none. Of several members with one
/// key the first is kept, because a service that changes the list puts its own member in front.
pub(super) fn parse<'a>(headers: &[&'a str]) -> Option<Vec<Member<'a>>> {
    let (mut members, mut count): (Vec<Member<'_>>, usize) = (Vec::new(), 0);
    let written = headers.iter().flat_map(|header| header.split(','));
    for member in written.map(|member| member.trim_matches([' ', '\t'])) {
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        count += 1;
        if count > MOST_MEMBERS || !is_valid((key, value)) {
            return None;
        }
        if !members.iter().any(|(earlier, _)| *earlier == key) {
            members.push((key, value));
        }
    }
    Some(members)
}

/// What came in, where it has members that OpenTelemetry's `TraceState` refuses: it knows the keys
/// of level 1 only.
#[derive(Debug)]
struct ReceivedState {
    trace_id: TraceId,
    members: Vec<(String, String)>,
}

/// The state to go on with, and the context that holds what it cannot.
pub(super) fn hold(
    context: &Context,
    trace_id: TraceId,
    members: &[Member<'_>],
) -> (Context, TraceState) {
    let all = TraceState::from_key_value(members.iter().copied());
    if context.get::<ReceivedState>().is_none()
        && let Ok(state) = all
    {
        return (context.clone(), state);
    }
    let held = members.iter().copied().filter(|member| !is_refused(*member));
    let state = TraceState::from_key_value(held).unwrap_or_default();
    let members = members.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let received = ReceivedState { trace_id, members: members.collect() };
    (context.with_value(received), state)
}

fn is_refused(member: Member<'_>) -> bool {
    TraceState::from_key_value([member]).is_err()
}

/// The header for a span, empty without members; what was changed since it came in stands first.
pub(super) fn print(context: &Context, span: &SpanContext) -> String {
    let state: Vec<Member<'_>> = span.trace_state().into_iter().collect();
    let received = context.get::<ReceivedState>().filter(|it| it.trace_id == span.trace_id());
    let Some(ReceivedState { members, .. }) = received else {
        return join(&state);
    };
    let before = members.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let kept = before.clone().filter(|member| state.contains(member) || is_refused(*member));
    let changed = state.iter().copied().filter(|member| !before.clone().any(|it| it == *member));
    join(&changed.chain(kept).collect::<Vec<_>>())
}

/// A header of these members, as many as fit.
fn join(members: &[Member<'_>]) -> String {
    let valid = members.iter().filter(|member| is_valid(**member)).take(MOST_MEMBERS);
    let mut members: Vec<String> = valid.map(|(key, value)| format!("{key}={value}")).collect();
    while (members.iter().map(|member| member.len() + 1).sum::<usize>()) > LONGEST + 1 {
        let large = members.iter().rposition(|member| member.len() > LARGE);
        members.remove(large.unwrap_or(members.len() - 1));
    }
    members.join(",")
}

/// Whether a list may have this member: a `TraceState` that did not come in may hold others.
fn is_valid((key, value): Member<'_>) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let key_byte = |byte| first(byte) || b"_-*/@".contains(&byte);
    let value_byte = |byte| matches!(byte, b' '..=b'~') && !b",=".contains(&byte);
    (1..=256).contains(&key.len())
        && first(key.as_bytes()[0])
        && key.bytes().all(key_byte)
        && (1..=256).contains(&value.len())
        && value.bytes().all(value_byte)
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceContextExt, TraceFlags};

    use super::*;

    fn joined(headers: &[&str]) -> Option<String> {
        parse(headers).map(|members| join(&members))
    }

    fn member(key: &str, length: usize) -> String {
        format!("{key}={}", "v".repeat(length - key.len() - 1))
    }

    #[test]
    fn headers_are_one_list() {
        for (headers, expected) in [
            (&[][..], ""),
            (&[""], ""),
            (&["a=1,b=2", "c=3"], "a=1,b=2,c=3"),
            (&["\t a=1 ,, \t,b= 2 ", ","], "a=1,b= 2"),
            (&["a=1,b=2,a=3", "b=4,c=5"], "a=1,b=2,c=5"),
        ] {
            assert_eq!(joined(headers).as_deref(), Some(expected), "{headers:?}");
        }
    }

    #[test]
    fn one_malformed_member_discards_the_list() {
        let long = "k".repeat(257);
        let value = format!("a={}", "v".repeat(257));
        for malformed in [
            "a",
            "=1",
            "a=",
            "A=1",
            "_a=1",
            "@a=1",
            "a.b=1",
            "a =1",
            "a=b=c",
            "a=\u{7f}",
            "a=\u{1f}x",
            "a=ü",
            &format!("{long}=1"),
            &value,
        ] {
            assert_eq!(joined(&[malformed]), None, "{malformed}");
            assert_eq!(joined(&["b=2", malformed, "c=3"]), None, "{malformed}");
        }
        for valid in ["1a=1", "a_-*/@b=1", "a=!~", "a=~", "a= 1", &format!("{}=1", "k".repeat(256))]
        {
            assert_eq!(joined(&[valid]).as_deref(), Some(valid));
        }
        assert!(joined(&[&format!("a={}", "v".repeat(256))]).is_some());
        assert!(is_valid(("a", "v")) && !is_valid(("a", "v ")) && !is_valid(("", "v")));
    }

    #[test]
    fn a_list_has_32_members() {
        let members = |count| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(joined(&[&members(32)]), Some(members(32)));
        assert_eq!(joined(&[&members(33)]), None);
        let repeated = ["k=v"; 32].join(",");
        assert_eq!(joined(&[&repeated]).as_deref(), Some("k=v"));
        assert_eq!(joined(&[&repeated, "k=v"]), None);
    }

    #[test]
    fn what_is_too_long_is_cut_by_whole_members() {
        let fits = [member("a", 256), member("b", 255)].join(",");
        assert_eq!(fits.len(), 512);
        assert_eq!(joined(&[&fits]), Some(fits));
        // One character more, and the last of the large ones goes.
        let (a, b) = (member("a", 256), member("b", 256));
        assert_eq!(joined(&[&a, &b]), Some(a));
        let small = ["a", "b", "c", "d"].map(|key| member(key, 127));
        let [a, b, c, d] = small.each_ref().map(String::as_str);
        let (large, not_large) = (member("l", 129), member("n", 128));
        assert_eq!(joined(&[&large, a, b, c, d]), Some([a, b, c, d].join(",")));
        assert_eq!(joined(&[&not_large, a, b, c, d]), Some([&not_large, a, b, c].join(",")));
    }

    fn under(context: &Context, trace: u128, state: TraceState) -> SpanContext {
        let flags = TraceFlags::SAMPLED;
        let span = SpanContext::new(trace.into(), SpanId::from(1), flags, true, state);
        context.with_remote_span_context(span.clone()).span().span_context().clone()
    }

    /// What is written of a state that came in and was changed.
    fn passed_on(received: &[&str], change: impl FnOnce(TraceState) -> TraceState) -> String {
        let members = parse(received).expect("it is valid");
        let (context, state) = hold(&Context::new(), TraceId::from(7), &members);
        print(&context, &under(&context, 7, change(state)))
    }

    #[test]
    fn members_that_opentelemetry_refuses_are_kept_beside_it() {
        for list in ["a=1,b=2", "a@b@c=1,b=2", "b=2,1@x@y=3,c=4"] {
            assert_eq!(passed_on(&[list], |state| state), list);
        }
        let changed = passed_on(&["a@b@c=1,b=2,c=3"], |state| {
            state.insert("c", "4").expect("a member").delete("b").expect("it is there")
        });
        assert_eq!(changed, "c=4,a@b@c=1");
    }

    #[test]
    fn what_was_kept_beside_belongs_to_its_trace() {
        let (context, _) = hold(&Context::new(), TraceId::from(7), &[("a@b@c", "1")]);
        assert_eq!(print(&context, &under(&context, 8, TraceState::NONE)), "");
        // What comes in later takes its place, even where nothing of it is refused.
        let (context, state) = hold(&context, TraceId::from(7), &[("b", "2")]);
        assert_eq!(print(&context, &under(&context, 7, state)), "b=2");
        let (context, state) = hold(&Context::new(), TraceId::from(7), &[("b", "2")]);
        assert!(context.get::<ReceivedState>().is_none());
        assert_eq!(state.header(), "b=2");
    }
}
