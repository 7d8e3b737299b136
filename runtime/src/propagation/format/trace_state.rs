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
/// key the first is kept: whoever changed the list last put its own member in front.
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
struct Received {
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
    if context.get::<Received>().is_none()
        && let Ok(state) = all
    {
        return (context.clone(), state);
    }
    let held = members.iter().copied().filter(|member| !is_refused(*member));
    let state = TraceState::from_key_value(held).unwrap_or_default();
    let members = members.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let received = Received { trace_id, members: members.collect() };
    (context.with_value(received), state)
}

fn is_refused(member: Member<'_>) -> bool {
    TraceState::from_key_value([member]).is_err()
}

/// The header for a span, empty without members; what was changed since it came in stands first.
pub(super) fn print(context: &Context, span: &SpanContext) -> String {
    let state: Vec<Member<'_>> = span.trace_state().into_iter().collect();
    let received = context.get::<Received>().filter(|it| it.trace_id == span.trace_id());
    let Some(Received { members, .. }) = received else {
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
