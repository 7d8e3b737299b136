//! What a sampler decides.

use opentelemetry::trace::{SpanId, TraceFlags};
use opentelemetry_sdk::trace as sdk;

use super::*;

const HIGH: u128 = u128::MAX;
const LOW: u128 = 1;

fn sampling(ratio: f64) -> Sampling {
    Sampling { rules: SampleRules::new(ratio), ..Sampling::default() }
}

fn decide(sampling: Sampling, context: &Context, trace: u128) -> (SamplingDecision, String) {
    let parent = context.span().span_context().clone();
    let trace_id = if parent.is_valid() { parent.trace_id() } else { trace.into() };
    let sampler = Sampler::new(&sampling);
    let result =
        sampler.should_sample(Some(context), trace_id, "name", &SpanKind::Server, &[], &[]);
    (result.decision, result.trace_state.header())
}

fn is_sampled(sampling: Sampling, context: &Context, trace: u128) -> bool {
    decide(sampling, context, trace).0 == SamplingDecision::RecordAndSample
}

fn under(trace: u128, sampled: bool, remote: bool, state: &str) -> Context {
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
    let state: TraceState = state.parse().expect("it is valid");
    let span = SpanContext::new(trace.into(), SpanId::from(2), flags, remote, state);
    Context::new().with_remote_span_context(span)
}

#[test]
fn the_ratio_decides_as_the_sdk_s_sampler() {
    let mut trace = 0x0123_4567_89ab_cdef_0011_2233_4455_6677_u128;
    for ratio in [0.0, 1e-9, 0.1, 0.5, 0.9, 1.0] {
        let theirs = sdk::Sampler::TraceIdRatioBased(ratio);
        for _ in 0..1000 {
            trace = trace.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645) + 1;
            let kind = SpanKind::Internal;
            let result = theirs.should_sample(None, trace.into(), "name", &kind, &[], &[]);
            let sampled = result.decision == SamplingDecision::RecordAndSample;
            assert_eq!(is_sampled(sampling(ratio), &Context::new(), trace), sampled, "{ratio}");
        }
    }
}

#[test]
fn the_ratio_decides_for_a_root() {
    let root = Context::new();
    for (ratio, low, high) in [(0.0, false, false), (0.5, true, false), (1.0, true, true)] {
        assert_eq!(is_sampled(sampling(ratio), &root, LOW), low, "{ratio}");
        assert_eq!(is_sampled(sampling(ratio), &root, HIGH), high, "{ratio}");
    }
    assert_eq!(decide(sampling(0.0), &root, LOW).0, SamplingDecision::Drop);
}

#[test]
fn a_parent_s_decision_comes_first() {
    for remote in [true, false] {
        let sampled = under(HIGH, true, remote, "a=1");
        let expected = (SamplingDecision::RecordAndSample, "a=1".to_owned());
        assert_eq!(decide(sampling(0.0), &sampled, HIGH), expected);
        let unsampled = under(LOW, false, remote, "a=1");
        let expected = (SamplingDecision::Drop, "a=1".to_owned());
        assert_eq!(decide(sampling(1.0), &unsampled, LOW), expected);
        let alone = |ratio| Sampling { parent_based: false, ..sampling(ratio) };
        // The spans of a local trace follow its first span, which was decided about in the same way.
        assert_eq!(is_sampled(alone(0.0), &sampled, HIGH), !remote);
        assert_eq!(is_sampled(alone(1.0), &unsampled, LOW), remote);
    }
}

#[test]
fn a_caller_s_decision_holds_for_a_new_trace() {
    for (decision, sampled) in
        [(NewTrace::NotSampled, false), (NewTrace::Sampled, true), (NewTrace::Debug, true)]
    {
        let context = CallerDecision::ForNewTrace(decision).put_into(&Context::new());
        for ratio in [0.0, 0.5, 1.0] {
            let consistent = Sampling { consistent: true, ..sampling(ratio) };
            assert_eq!(is_sampled(sampling(ratio), &context, HIGH), sampled, "{decision:?}");
            assert_eq!(decide(consistent, &context, HIGH).1, "", "it has no threshold");
            let alone = Sampling { parent_based: false, ..sampling(ratio) };
            assert_eq!(is_sampled(alone, &context, LOW), ratio > 0.0, "{decision:?}");
        }
        let no_longer = CallerDecision::InFlags.put_into(&context);
        assert!(is_sampled(sampling(1.0), &no_longer, LOW));
        let span = under(LOW, !sampled, true, "").span().span_context().clone();
        let goes_on = context.with_remote_span_context(span);
        assert_eq!(is_sampled(sampling(0.0), &goes_on, LOW), !sampled, "it is another trace");
    }
}

#[test]
fn a_decision_that_the_caller_left_open_is_made_as_for_a_root() {
    let deferred = |trace: u128| {
        CallerDecision::Deferred(trace.into(), SpanId::from(2))
            .put_into(&under(trace, false, true, ""))
    };
    for (ratio, low, high) in [(0.0, false, false), (0.5, true, false), (1.0, true, true)] {
        assert_eq!(is_sampled(sampling(ratio), &deferred(LOW), LOW), low, "{ratio}");
        assert_eq!(is_sampled(sampling(ratio), &deferred(HIGH), HIGH), high, "{ratio}");
    }
    let consistent = Sampling { consistent: true, ..sampling(0.5) };
    let expected = (SamplingDecision::RecordAndSample, "ot=th:8".to_owned());
    assert_eq!(decide(consistent, &deferred(HIGH), HIGH), expected);
    // A span of this process under it has decided.
    let local = under(LOW, false, false, "").span().span_context().clone();
    let nested = deferred(LOW).with_remote_span_context(local);
    assert!(!is_sampled(sampling(1.0), &nested, LOW));
    let other = under(HIGH, false, true, "").span().span_context().clone();
    assert!(!is_sampled(sampling(1.0), &deferred(LOW).with_remote_span_context(other), HIGH));
}

/// What a sampler with these rules decides about a span of this name under this context, and the `tracestate`.
fn by_rules(sampler: &Sampler, context: &Context, name: &str) -> (bool, String) {
    let parent = context.span().span_context().clone();
    let trace = if parent.is_valid() { parent.trace_id() } else { HIGH.into() };
    let result = sampler.should_sample(Some(context), trace, name, &SpanKind::Server, &[], &[]);
    (result.decision == SamplingDecision::RecordAndSample, result.trace_state.header())
}

fn rules(text: &str) -> Sampling {
    Sampling { rules: text.parse().expect("they are rules"), ..Sampling::default() }
}

#[test]
fn the_first_rule_that_matches_decides_about_a_local_trace() {
    let sampler =
        Sampler::new(&rules("0, GET /health=0, server:GET *=1, client:*=0, POST /a*=1, *=0.5"));
    let cases = [
        ("GET /health", false),
        ("GET /", true),
        ("POST /about", true),
        ("PUT /", false),
        ("", false),
    ];
    for (name, sampled) in cases {
        assert_eq!(by_rules(&sampler, &Context::new(), name).0, sampled, "{name}");
    }
}

#[test]
fn under_a_caller_that_samples_only_a_rule_of_zero_decides() {
    let sampler = Sampler::new(&rules("0, health=0, rare=0.1, limited=per_second(0.1), often=1"));
    let remote = |sampled| under(HIGH, sampled, true, "ot=th:8;rv:ffffffffffffff,a=1");
    let (is_sampled, state) = by_rules(&sampler, &remote(true), "health");
    assert!(!is_sampled);
    assert_eq!(state, "ot=rv:ffffffffffffff,a=1", "what is not sampled has no threshold");
    for name in ["rare", "limited", "often", "other"] {
        let (is_sampled, state) = by_rules(&sampler, &remote(true), name);
        assert!(is_sampled, "{name}");
        assert_eq!(state, "ot=th:8;rv:ffffffffffffff,a=1", "the caller's threshold stays true");
        assert!(!by_rules(&sampler, &remote(false), name).0, "{name}");
    }
}

#[test]
fn the_spans_of_a_local_trace_follow_its_first_span() {
    for parent_based in [true, false] {
        let sampling = Sampling { parent_based, ..rules("1, health=0, often=1") };
        let sampler = Sampler::new(&sampling);
        for name in ["health", "often", "other"] {
            assert!(!by_rules(&sampler, &under(HIGH, false, false, ""), name).0, "{name}");
            assert!(by_rules(&sampler, &under(HIGH, true, false, ""), name).0, "{name}");
        }
    }
}

#[test]
fn consistent_rules_state_their_own_threshold() {
    let sampling =
        Sampling { consistent: true, ..rules("0.1, half=0.5, all=1, none=0, some=per_second(1)") };
    let sampler = Sampler::new(&sampling);
    let state = |name| by_rules(&sampler, &Context::new(), name);
    assert_eq!(state("other"), (true, "ot=th:e6666666666668".to_owned()));
    assert_eq!(state("half"), (true, "ot=th:8".to_owned()));
    assert_eq!(state("all"), (true, "ot=th:0".to_owned()));
    assert_eq!(state("none"), (false, String::new()));
    assert_eq!(state("some"), (true, String::new()), "its probability is not known");
    assert_eq!(state("some"), (false, String::new()));
    let deferred = CallerDecision::Deferred(HIGH.into(), SpanId::from(2))
        .put_into(&under(HIGH, false, true, "ot=th:8"));
    sampler.set(&"per_second(1)".parse().expect("they are rules"));
    assert_eq!(by_rules(&sampler, &deferred, "some"), (true, String::new()));
}

#[test]
fn rates_change_while_the_sampler_is_in_use() {
    let sampler = Sampler::new(&rules("0"));
    let copy = sampler.clone();
    let decide = || by_rules(&copy, &Context::new(), "health").0;
    assert!(!decide());
    for (text, sampled) in
        [("1", true), ("1, health=0", false), ("0, health=1", true), ("0", false)]
    {
        sampler.set(&text.parse().expect("they are rules"));
        assert_eq!(decide(), sampled, "{text}");
    }
}

#[test]
fn a_local_trace_stays_as_its_first_span_was_decided() {
    for parent_based in [true, false] {
        let sampler = Sampler::new(&Sampling { parent_based, ..rules("1") });
        let [yes, no] = [true, false].map(|sampled| under(HIGH, sampled, false, ""));
        for text in ["0", "1", "per_second(0.001)", "0, name=1"] {
            sampler.set(&text.parse().expect("they are rules"));
            for _ in 0..3 {
                assert!(by_rules(&sampler, &yes, "name").0, "{text}");
                assert!(!by_rules(&sampler, &no, "name").0, "{text}");
            }
        }
    }
}
