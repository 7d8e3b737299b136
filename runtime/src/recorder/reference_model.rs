//! A model of recorded spans, written after the specification, on lists. Tests and a fuzzer compare the recorder's bytes with
//! it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{Batch, Exceptions, Handle, NativeProvider, NativeRecorder, Outlet, Room};
use crate::encoding::Limits;

const LIMITS: Limits = Limits {
    attributes: 3,
    events: 2,
    links: 2,
    event_attributes: 2,
    link_attributes: 1,
    value_length: Some(5),
};

#[derive(Clone, Debug)]
pub(super) enum Call {
    Set(KeyValue),
    AddEvent(String, SystemTime, Vec<KeyValue>),
    AddLink(u64, Vec<KeyValue>),
    SetStatus(Status),
    Rename(String),
    End(SystemTime),
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Start { name: String, parent: Option<usize>, attributes: Vec<KeyValue> },
    Call { span: usize, call: Call, elsewhere: bool },
}

/// A span as it should be.
#[derive(Debug)]
struct Expected {
    data: SpanData,
    dropped_keys: Vec<String>,
    has_ended: bool,
}

fn cut(value: Value) -> Value {
    let short = |text: &str| text.chars().take(5).collect::<String>();
    match value {
        Value::String(text) => short(text.as_str()).into(),
        Value::Array(Array::String(texts)) => {
            let texts: Vec<_> = texts
                .iter()
                .map(|text| opentelemetry::StringValue::from(short(text.as_str())))
                .collect();
            Value::Array(texts.into())
        }
        value => value,
    }
}

fn limited(pairs: Vec<KeyValue>, most: usize) -> (Vec<KeyValue>, u32) {
    let dropped = pairs.len().saturating_sub(most);
    let kept = pairs
        .into_iter()
        .take(most)
        .map(|KeyValue { key, value, .. }| KeyValue::new(key, cut(value)));
    (kept.collect(), u32::try_from(dropped).expect("few"))
}

impl Expected {
    fn new(
        span_context: SpanContext,
        parent: SpanId,
        name: String,
        start_time: SystemTime,
        scope: &InstrumentationScope,
    ) -> Self {
        let data = SpanData {
            span_context,
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: SpanKind::Producer,
            name: name.into(),
            start_time,
            end_time: start_time,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: scope.clone(),
        };
        Self { data, dropped_keys: Vec::new(), has_ended: false }
    }

    fn set(&mut self, KeyValue { key, value, .. }: KeyValue) {
        let attributes = &mut self.data.attributes;
        match attributes.iter().position(|pair| pair.key == key) {
            Some(place) => attributes[place].value = cut(value),
            None if attributes.len() < 3 => attributes.push(KeyValue::new(key, cut(value))),
            None if self.dropped_keys.contains(&key.to_string()) => {}
            None => {
                self.dropped_keys.push(key.to_string());
                self.data.dropped_attributes_count += 1;
            }
        }
    }

    fn add_event(&mut self, name: String, time: SystemTime, attributes: Vec<KeyValue>) {
        let events = &mut self.data.events;
        if events.events.len() >= 2 {
            events.dropped_count += 1;
            let ordinary = events.events.iter().rposition(|event| event.name != "exception");
            match ordinary {
                Some(last) if name == "exception" => drop(events.events.remove(last)),
                _ => return,
            }
        }
        let (attributes, dropped) = limited(attributes, 2);
        events.events.push(Event::new(name, time, attributes, dropped));
    }

    fn call(&mut self, call: Call) {
        if self.has_ended {
            return;
        }
        match call {
            Call::Set(attribute) => self.set(attribute),
            Call::AddEvent(name, time, attributes) => self.add_event(name, time, attributes),
            Call::AddLink(span, attributes) if self.data.links.links.len() < 2 => {
                let (attributes, dropped) = limited(attributes, 1);
                self.data.links.links.push(Link::new(linked(span), attributes, dropped));
            }
            Call::AddLink(..) => self.data.links.dropped_count += 1,
            Call::SetStatus(status) => {
                let rank = |status: &Status| match status {
                    Status::Unset => 0,
                    Status::Error { .. } => 1,
                    Status::Ok => 2,
                };
                let before = rank(&self.data.status);
                if before < 2 && rank(&status) >= before.max(1) {
                    self.data.status = status;
                }
            }
            Call::Rename(name) => self.data.name = name.into(),
            Call::End(time) => {
                self.data.end_time = time;
                for event in &mut self.data.events.events {
                    event.timestamp = event.timestamp.min(time);
                }
                self.has_ended = true;
            }
        }
    }
}

fn linked(span: u64) -> SpanContext {
    let state = TraceState::from_key_value([("a", "1")]).expect("it is valid");
    SpanContext::new(TraceId::from(7), SpanId::from(span), TraceFlags::SAMPLED, true, state)
}

#[derive(Clone, Debug, Default)]
struct Collected(Arc<Mutex<Batch>>);

impl Outlet for Collected {
    fn spans_at_once(&self) -> usize {
        1
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, batch: Batch) {
        self.0.lock().expect("no panic").append(&batch);
    }
}

fn do_it(span: &mut Handle, call: Call) {
    match call {
        Call::Set(attribute) => span.set_attribute(attribute),
        Call::AddEvent(name, time, attributes) => {
            span.add_event_with_timestamp(name, time, attributes);
        }
        Call::AddLink(span_id, attributes) => span.add_link(linked(span_id), attributes),
        Call::SetStatus(status) => span.set_status(status),
        Call::Rename(name) => span.update_name(name),
        Call::End(time) => span.end_with_timestamp(time),
    }
}

/// What was recorded, and what should have been, in the order in which the spans ended.
fn play(steps: Vec<Step>) -> (Batch, Vec<SpanData>) {
    let collected = Collected::default();
    let scope = InstrumentationScope::builder("model").with_version("1").build();
    let tracer = NativeProvider(Arc::new(NativeRecorder {
        pipeline: None,
        outlet: Arc::new(collected.clone()),
        sampler: None,
        held_traces: None,
        exceptions: Exceptions::EVENTS,
        limits: LIMITS,
        baggage: Vec::new(),
    }))
    .tracer_with_scope(scope.clone());
    let (mut spans, mut expected, mut order) = (Vec::new(), Vec::<Expected>::new(), Vec::new());
    let start_time = UNIX_EPOCH + Duration::from_nanos(1_234_567_891);
    for step in steps {
        match step {
            Step::Start { name, parent, attributes } => {
                let parent = parent.filter(|parent| *parent < expected.len());
                let parent = parent
                    .map_or(SpanContext::NONE, |parent| expected[parent].data.span_context.clone());
                let context = Context::new().with_remote_span_context(parent.clone());
                let builder = SpanBuilder::from_name(name.clone())
                    .with_kind(SpanKind::Producer)
                    .with_start_time(start_time)
                    .with_attributes(attributes.clone());
                let span = tracer.build_with_context(builder, &context);
                let span_context = span.span_context().clone();
                let mut started =
                    Expected::new(span_context, parent.span_id(), name, start_time, &scope);
                for attribute in attributes {
                    started.set(attribute);
                }
                spans.push(span);
                expected.push(started);
            }
            Step::Call { span, call, elsewhere } => {
                let span = span % spans.len();
                let (handle, it) = (&mut spans[span], &mut expected[span]);
                if matches!(call, Call::End(_)) && !it.has_ended {
                    order.push(span);
                }
                it.call(call.clone());
                if elsewhere {
                    std::thread::scope(|scope| {
                        scope.spawn(|| do_it(handle, call));
                    });
                } else {
                    do_it(handle, call);
                }
            }
        }
    }
    for (span, it) in expected.iter_mut().enumerate() {
        if !it.has_ended {
            order.push(span);
            it.call(Call::End(start_time));
            do_it(&mut spans[span], Call::End(start_time));
        }
    }
    let ended = order.into_iter().map(|span| expected[span].data.clone()).collect();
    let recorded = std::mem::take(&mut *collected.0.lock().expect("no panic"));
    (recorded, ended)
}

/// Takes these steps, and panics if the bytes do not say what was recorded.
pub(super) fn check(steps: Vec<Step>) {
    let (recorded, expected) = play(steps);
    // A double that is no number is equal to nothing.
    let decoded: Vec<_> = recorded.decode().collect();
    assert_eq!(format!("{decoded:#?}"), format!("{expected:#?}"));
    #[cfg(feature = "_otlp")]
    for (record, expected) in recorded.records().zip(expected) {
        use opentelemetry_proto::tonic::trace::v1::Span;
        use prost::Message;

        // A status that is unset need not be there.
        let read = |message: &[u8]| {
            let span = Span::decode(message).expect("it is a span");
            let status = Some(span.status.clone().unwrap_or_default());
            format!("{:?}", Span { status, ..span })
        };
        let written = Batch::of(&expected);
        let written: Vec<_> = written.records().map(|record| read(record.message)).collect();
        assert_eq!(vec![read(record.message)], written);
    }
}

/// Takes the steps that these bytes stand for.
pub(crate) fn check_bytes(bytes: &[u8]) {
    /// More take the fuzzer long, and find nothing else.
    const MOST: usize = 200;

    let mut input = Input(bytes);
    let first = input.start();
    let rest = std::iter::from_fn(|| (!input.0.is_empty()).then(|| input.step()));
    let steps: Vec<Step> = std::iter::once(first).chain(rest.take(MOST)).collect();
    check(steps);
}

/// Bytes that stand for steps. After their end come zeros.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn text(&mut self) -> String {
        let length = usize::from(self.byte()) % 12 * usize::from(self.byte() % 15);
        let (text, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn number(&mut self) -> i64 {
        let bytes = std::array::from_fn(|_| self.byte());
        // Small ones have another encoding.
        i64::from_le_bytes(bytes) >> (self.byte() % 64)
    }

    fn value(&mut self) -> Value {
        match self.byte() % 6 {
            0 => self.text().into(),
            1 => self.byte().is_multiple_of(2).into(),
            2 => self.number().into(),
            3 => f64::from_bits(self.number().cast_unsigned()).into(),
            4 => Value::Array(
                (0..=self.byte() % 4).map(|_| self.number()).collect::<Vec<_>>().into(),
            ),
            _ => {
                let count = self.byte() % 4;
                let text = |_| opentelemetry::StringValue::from(self.text());
                Value::Array((0..=count).map(text).collect::<Vec<_>>().into())
            }
        }
    }

    /// Few keys, so that they meet.
    fn pair(&mut self) -> KeyValue {
        let key = match self.byte() % 6 {
            0 => String::new(),
            1 => "key".repeat(50),
            2 => self.text(),
            letter => char::from(b'a' + letter).to_string(),
        };
        KeyValue::new(key, self.value())
    }

    fn pairs(&mut self) -> Vec<KeyValue> {
        (0..self.byte() % 4).map(|_| self.pair()).collect()
    }

    fn time(&mut self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::from(self.byte()) + 1)
    }

    fn start(&mut self) -> Step {
        let parent = usize::from(self.byte() % 10);
        let parent = (parent < 9).then_some(parent);
        Step::Start { name: self.text(), parent, attributes: self.pairs() }
    }

    fn step(&mut self) -> Step {
        let call = match self.byte() % 16 {
            0 => return self.start(),
            1..=5 => Call::Set(self.pair()),
            6 => Call::AddEvent("exception".to_owned(), self.time(), self.pairs()),
            7..=8 => Call::AddEvent(self.text(), self.time(), self.pairs()),
            9..=10 => Call::AddLink(u64::from(self.byte()) + 1, self.pairs()),
            11 => Call::SetStatus(Status::Ok),
            12 => Call::SetStatus(Status::Unset),
            13 => Call::SetStatus(Status::error(self.text())),
            14 => Call::Rename(self.text()),
            _ => Call::End(self.time()),
        };
        Step::Call {
            span: usize::from(self.byte()),
            call,
            elsewhere: self.byte().is_multiple_of(8),
        }
    }
}
