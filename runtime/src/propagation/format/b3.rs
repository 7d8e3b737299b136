//! [B3](https://github.com/openzipkin/b3-propagation), of Zipkin: read from one header or from
//! several, whichever way it is written.

use opentelemetry::Context;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::extracted::Extracted;
use super::ids;
use crate::context::{CallerDecision, NewTrace};

pub(super) const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
pub(super) const FIELDS: [&str; 6] = [SINGLE, TRACE_ID, SPAN_ID, PARENT_SPAN_ID, SAMPLED, FLAGS];

/// B3's "sampling state".
#[derive(Clone, Copy, Debug, PartialEq)]
enum SamplingState {
    Deny,
    Accept,
    Debug,
}

/// Ids, a sampling state, or both.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ReceivedB3 {
    Span(TraceId, SpanId, Option<SamplingState>),
    SamplingState(SamplingState),
}

pub(super) fn extract(context: &Context, carrier: &dyn Extractor) -> Extracted {
    match carrier.get(SINGLE).and_then(parse).or_else(|| read(carrier)) {
        Some(ReceivedB3::Span(trace_id, span_id, state)) => {
            let sampled = matches!(state, Some(SamplingState::Accept | SamplingState::Debug));
            let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
            let span = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
            let decision = match state {
                None => CallerDecision::Deferred(trace_id, span_id),
                Some(SamplingState::Debug) => CallerDecision::Debug(trace_id),
                Some(SamplingState::Deny | SamplingState::Accept) => CallerDecision::InFlags,
            };
            Extracted::Trace(decision.put_into(context).with_remote_span_context(span))
        }
        // No trace starts here if another propagator has found a span, or if one is active already.
        Some(ReceivedB3::SamplingState(state)) if !context.span().span_context().is_valid() => {
            let decision = match state {
                SamplingState::Deny => NewTrace::NotSampled,
                SamplingState::Accept => NewTrace::Sampled,
                SamplingState::Debug => NewTrace::Debug,
            };
            Extracted::Beside(CallerDecision::ForNewTrace(decision).put_into(context))
        }
        Some(ReceivedB3::SamplingState(_)) | None => Extracted::Nothing,
    }
}

fn parse(text: &str) -> Option<ReceivedB3> {
    let Some((trace, rest)) = text.split_once('-') else {
        return state(text).map(ReceivedB3::SamplingState);
    };
    let mut fields = rest.split('-');
    let trace_id = trace_id(trace)?;
    let span_id = ids::span_id(fields.next()?, 16)?;
    let state = match fields.next() {
        Some(text) => Some(state(text)?),
        None => None,
    };
    // The parent of the caller's span, which is of no use here.
    let parent = fields.next().is_none_or(|parent| ids::span_id(parent, 16).is_some());
    (parent && fields.next().is_none()).then_some(ReceivedB3::Span(trace_id, span_id, state))
}

fn read(carrier: &dyn Extractor) -> Option<ReceivedB3> {
    let state = match (carrier.get(FLAGS), carrier.get(SAMPLED)) {
        (Some("1"), _) => Some(SamplingState::Debug),
        (_, Some(sampled)) => Some(state(sampled).filter(|state| *state != SamplingState::Debug)?),
        (_, None) => None,
    };
    match (carrier.get(TRACE_ID), carrier.get(SPAN_ID)) {
        (None, None) => state.map(ReceivedB3::SamplingState),
        (trace, span) => Some(ReceivedB3::Span(trace_id(trace?)?, ids::span_id(span?, 16)?, state)),
    }
}

fn trace_id(text: &str) -> Option<TraceId> {
    ids::trace_id(text, if text.len() == 16 { 16 } else { 32 })
}

/// Tracers that are older than the specification write `true` and `false`, and some write `True`.
fn state(text: &str) -> Option<SamplingState> {
    match text {
        "0" => Some(SamplingState::Deny),
        "1" => Some(SamplingState::Accept),
        "d" => Some(SamplingState::Debug),
        _ if text.eq_ignore_ascii_case("false") => Some(SamplingState::Deny),
        _ if text.eq_ignore_ascii_case("true") => Some(SamplingState::Accept),
        _ => None,
    }
}

/// What this context says to the next service.
fn sent(context: &Context) -> Option<ReceivedB3> {
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        let state = match CallerDecision::for_new_trace(context)? {
            NewTrace::NotSampled => SamplingState::Deny,
            NewTrace::Sampled => SamplingState::Accept,
            NewTrace::Debug => SamplingState::Debug,
        };
        return Some(ReceivedB3::SamplingState(state));
    }
    let state = match span.is_sampled() {
        _ if CallerDecision::is_debug(context, span) => Some(SamplingState::Debug),
        true => Some(SamplingState::Accept),
        false if CallerDecision::is_deferred(context, span) => None,
        false => Some(SamplingState::Deny),
    };
    Some(ReceivedB3::Span(span.trace_id(), span.span_id(), state))
}

/// The one header, empty where there is nothing to say.
pub(super) fn print(context: &Context) -> String {
    let letter = |state| match state {
        SamplingState::Deny => '0',
        SamplingState::Accept => '1',
        SamplingState::Debug => 'd',
    };
    match sent(context) {
        Some(ReceivedB3::Span(trace_id, span_id, Some(state))) => {
            format!("{trace_id}-{span_id}-{}", letter(state))
        }
        Some(ReceivedB3::Span(trace_id, span_id, None)) => format!("{trace_id}-{span_id}"),
        Some(ReceivedB3::SamplingState(state)) => letter(state).to_string(),
        None => String::new(),
    }
}

/// The several headers.
pub(super) fn fields(context: &Context) -> Vec<(&'static str, String)> {
    let (ids, state) = match sent(context) {
        Some(ReceivedB3::Span(trace_id, span_id, state)) => (Some((trace_id, span_id)), state),
        Some(ReceivedB3::SamplingState(state)) => (None, Some(state)),
        None => (None, None),
    };
    let ids = ids.map(|(trace_id, span_id)| {
        [(TRACE_ID, trace_id.to_string()), (SPAN_ID, span_id.to_string())]
    });
    let state = state.map(|state| match state {
        SamplingState::Deny => (SAMPLED, "0".to_owned()),
        SamplingState::Accept => (SAMPLED, "1".to_owned()),
        SamplingState::Debug => (FLAGS, "1".to_owned()),
    });
    ids.into_iter().flatten().chain(state).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn span(state: Option<SamplingState>) -> ReceivedB3 {
        let (trace, span) = (TraceId::from_hex(TRACE), SpanId::from_hex(SPAN));
        ReceivedB3::Span(trace.expect("an id"), span.expect("an id"), state)
    }

    fn headers(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_state_and_the_parent_may_be_missing() {
        for (text, state) in [
            ("", None),
            ("-0", Some(SamplingState::Deny)),
            ("-1", Some(SamplingState::Accept)),
            ("-d", Some(SamplingState::Debug)),
            ("-true", Some(SamplingState::Accept)),
            ("-FALSE", Some(SamplingState::Deny)),
            ("-1-05e3ac9a4f6e3b90", Some(SamplingState::Accept)),
        ] {
            assert_eq!(parse(&format!("{TRACE}-{SPAN}{text}")), Some(span(state)), "{text}");
        }
    }

    #[test]
    fn the_state_may_stand_alone() {
        for (text, state) in [
            ("0", SamplingState::Deny),
            ("1", SamplingState::Accept),
            ("d", SamplingState::Debug),
            ("True", SamplingState::Accept),
            ("false", SamplingState::Deny),
        ] {
            assert_eq!(parse(text), Some(ReceivedB3::SamplingState(state)), "{text}");
        }
    }

    #[test]
    fn a_trace_id_may_have_64_bits() {
        let parsed = parse("a3ce929d0e0e4736-00f067aa0ba902b7-1");
        let Some(ReceivedB3::Span(trace_id, ..)) = parsed else { panic!("{parsed:?}") };
        assert_eq!(trace_id, TraceId::from(0xa3ce_929d_0e0e_4736));
    }

    #[test]
    fn what_is_malformed_is_none() {
        for text in [
            "",
            "2",
            "D",
            "00",
            "-",
            "-0",
            "0-",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "f92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00000000000000000000000000000000-00f067aa0ba902b7-1",
            "4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-1",
            "4bf92f3577b34da6a3ce929d0e0e4736-0f067aa0ba902b7-1",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-2",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-",
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90-",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn several_headers_have_ids_or_a_state_or_both() {
        const IDS: [(&str, &str); 2] = [(TRACE_ID, TRACE), (SPAN_ID, SPAN)];
        for (pairs, state) in [
            (&[][..], None),
            (&[(SAMPLED, "0")], Some(SamplingState::Deny)),
            (&[(SAMPLED, "1")], Some(SamplingState::Accept)),
            (&[(SAMPLED, "True")], Some(SamplingState::Accept)),
            (&[(SAMPLED, "fAlSe")], Some(SamplingState::Deny)),
            (&[(FLAGS, "1")], Some(SamplingState::Debug)),
            (&[(FLAGS, "1"), (SAMPLED, "0")], Some(SamplingState::Debug)),
            (&[(FLAGS, "0")], None),
            (&[(FLAGS, "0"), (SAMPLED, "1")], Some(SamplingState::Accept)),
        ] {
            assert_eq!(read(&headers(pairs)), state.map(ReceivedB3::SamplingState), "{pairs:?}");
            let pairs = [&IDS, pairs].concat();
            assert_eq!(read(&headers(&pairs)), Some(span(state)), "{pairs:?}");
        }
    }

    #[test]
    fn several_headers_that_are_malformed_are_none() {
        for pairs in [
            &[(TRACE_ID, TRACE), (SAMPLED, "1")][..],
            &[(SPAN_ID, SPAN), (SAMPLED, "1")],
            &[(TRACE_ID, "nonsense"), (SPAN_ID, SPAN), (SAMPLED, "0")],
            &[(TRACE_ID, TRACE), (SPAN_ID, "nonsense"), (SAMPLED, "0")],
            &[(TRACE_ID, TRACE), (SPAN_ID, SPAN), (SAMPLED, "yes")],
            &[(SAMPLED, "d")],
            &[(PARENT_SPAN_ID, SPAN)],
        ] {
            assert_eq!(read(&headers(pairs)), None, "{pairs:?}");
        }
    }

    /// As it was sent on by a service that starts no span.
    fn passed_on(pairs: &[(&str, &str)]) -> (String, Vec<(&'static str, String)>) {
        let context = match extract(&Context::new(), &headers(pairs)) {
            Extracted::Trace(context) | Extracted::Beside(context) => context,
            Extracted::Nothing => Context::new(),
        };
        (print(&context), fields(&context))
    }

    #[test]
    fn what_came_in_is_passed_on() {
        let ids = format!("{TRACE}-{SPAN}");
        for (state, fields) in [
            ("", &[][..]),
            ("-0", &[(SAMPLED, "0")]),
            ("-1", &[(SAMPLED, "1")]),
            ("-d", &[(FLAGS, "1")]),
        ] {
            let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned()));
            let fields: Vec<_> = fields.collect();
            let all = [(TRACE_ID, TRACE.to_owned()), (SPAN_ID, SPAN.to_owned())];
            let all: Vec<_> = all.into_iter().chain(fields.clone()).collect();
            let written = format!("{ids}{state}");
            assert_eq!(passed_on(&[(SINGLE, &written)]), (written, all));
            let alone = state.trim_start_matches('-');
            assert_eq!(passed_on(&[(SINGLE, alone)]), (alone.to_owned(), fields));
        }
    }

    #[test]
    fn the_one_header_comes_before_the_several() {
        let (sent, _) = passed_on(&[(SINGLE, "0"), (TRACE_ID, TRACE), (SPAN_ID, SPAN)]);
        assert_eq!(sent, "0");
        let (sent, _) = passed_on(&[(SINGLE, "nonsense"), (TRACE_ID, TRACE), (SPAN_ID, SPAN)]);
        assert_eq!(sent, format!("{TRACE}-{SPAN}"));
    }

    fn remote(trace_id: u128, sampled: bool) -> SpanContext {
        let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
        SpanContext::new(trace_id.into(), SpanId::from(5), flags, true, TraceState::NONE)
    }

    #[test]
    fn a_state_says_nothing_of_a_trace_that_goes_on() {
        let context = Context::new().with_remote_span_context(remote(7, false));
        assert!(matches!(extract(&context, &headers(&[(SINGLE, "1")])), Extracted::Nothing));
    }

    #[test]
    fn debug_is_said_of_its_own_trace_only() {
        let debug = headers(&[(SINGLE, &format!("{TRACE}-{SPAN}-d"))]);
        let Extracted::Trace(context) = extract(&Context::new(), &debug) else { panic!("a trace") };
        let other = context.with_remote_span_context(remote(7, true));
        assert!(print(&other).ends_with("-1"), "{}", print(&other));
        let again = headers(&[(SINGLE, &format!("{TRACE}-{SPAN}-1"))]);
        let Extracted::Trace(context) = extract(&context, &again) else { panic!("a trace") };
        assert!(print(&context).ends_with("-1"), "{}", print(&context));

        let alone = extract(&Context::new(), &headers(&[(SINGLE, "d")]));
        let Extracted::Beside(context) = alone else { panic!("a decision") };
        let local = SpanContext::new(
            TraceId::from(7),
            SpanId::from(5),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        assert!(print(&context.with_remote_span_context(local)).ends_with("-d"));
        assert!(print(&context.with_remote_span_context(remote(7, true))).ends_with("-1"));
    }
}
