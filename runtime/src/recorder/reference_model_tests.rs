//! Whatever is called in whatever order, and on whatever thread, the bytes say what was recorded.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::reference_model::{Call, Step, check, check_bytes};
use crate::attribute::Attributes;
use crate::encoding::{Key, Limits};

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,8}".prop_map(Value::from),
        "[a-z]{120,130}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop_oneof![any::<i64>(), -2..200_i64].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        vec(any::<i64>(), 1..40).prop_map(|list| Value::Array(list.into())),
        vec(".{0,8}", 1..4).prop_map(|list| {
            let list: Vec<_> = list.into_iter().map(opentelemetry::StringValue::from).collect();
            Value::Array(list.into())
        }),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(pair(), 0..4)
}

/// Few keys, so that they meet; one is long.
fn pair() -> impl Strategy<Value = KeyValue> {
    let key = prop_oneof!["[a-c]", Just("key".repeat(50)), Just(String::new())];
    (key, values()).prop_map(|(key, value)| KeyValue::new(key, value))
}

fn times() -> impl Strategy<Value = SystemTime> {
    (1..1000_u64).prop_map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

fn calls() -> impl Strategy<Value = Call> {
    let name = || prop_oneof![Just("exception".to_owned()), ".{0,6}"];
    let status =
        prop_oneof![Just(Status::Unset), Just(Status::Ok), ".{0,9}".prop_map(Status::error)];
    prop_oneof![
        4 => pair().prop_map(Call::Set),
        3 => (name(), times(), pairs()).prop_map(|(name, time, pairs)| Call::AddEvent(name, time, pairs)),
        2 => (1..9_u64, pairs()).prop_map(|(span, pairs)| Call::AddLink(span, pairs)),
        2 => status.prop_map(Call::SetStatus),
        1 => ".{0,200}".prop_map(Call::Rename),
        1 => times().prop_map(Call::End),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let start = || {
        (".{0,9}", option::of(0..9_usize), pairs())
            .prop_map(|(name, parent, attributes)| Step::Start { name, parent, attributes })
    };
    let call = (0..9_usize, calls(), any::<bool>())
        .prop_map(|(span, call, elsewhere)| Step::Call { span, call, elsewhere });
    (start(), vec(prop_oneof![1 => start(), 15 => call], 0..80))
        .prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect())
}

proptest! {
    #[test]
    fn the_bytes_say_what_was_recorded(steps in steps()) {
        check(steps);
    }

    #[test]
    fn the_bytes_say_what_was_recorded_after_any_input(bytes in vec(any::<u8>(), 0..600)) {
        check_bytes(&bytes);
    }

    #[test]
    fn prepared_keys_write_what_others_write(
        attributes in vec(("[a-c]|.{0,40}", values()), 0..6),
        length in option::of(0..9_usize),
    ) {
        let limits = Limits { attributes: 4, value_length: length, ..Limits::NONE };
        let [mut prepared, mut plain] = [(); 2].map(|()| Attributes::of_record(Vec::new(), 0, limits));
        for (key, value) in &attributes {
            prepared.record(&Key::new(key), value);
            plain.push(key, value.into());
        }
        prop_assert_eq!(prepared.into_record().0, plain.into_record().0);
    }
}

#[test]
fn what_is_copied_from_the_baggage_gives_way_to_what_the_program_sets() {
    let mut attributes = Attributes::of_record(Vec::new(), 0, Limits::NONE);
    attributes.set("tenant.id", "set");
    for (key, value) in [("tenant.id", "copied"), ("region", "copied")] {
        attributes.push_unless_set(key, crate::encoding::ValueRef::Text(value));
    }
    let expected =
        [("tenant.id", "set"), ("region", "copied")].map(|(key, value)| KeyValue::new(key, value));
    assert_eq!(attributes.into_vec(), expected);
}

#[test]
fn keys_that_share_a_mark_are_told_apart() {
    let mut attributes = Attributes::of_record(Vec::new(), 0, Limits::NONE);
    attributes.set("abcde", "first");
    attributes.push_unless_set("axcxe", crate::encoding::ValueRef::Text("second"));
    attributes.set("axcxe", "third");
    let expected =
        [("abcde", "first"), ("axcxe", "third")].map(|(key, value)| KeyValue::new(key, value));
    assert_eq!(attributes.into_vec(), expected);
}

/// What is read of an attribute that is written with a prepared key, and with a plain one.
fn written(key: &str, value: &Value) -> [Vec<KeyValue>; 2] {
    let [mut prepared, mut plain] =
        [(); 2].map(|()| Attributes::of_record(Vec::new(), 0, Limits::NONE));
    prepared.record(&Key::new(key), value);
    plain.push(key, value.into());
    [prepared, plain].map(Attributes::into_vec)
}

#[test]
fn keys_and_texts_of_any_length_are_read_as_they_were_written() {
    for key in [0, 1, 31, 32, 33, 55, 56, 57, 127, 128].map(|length| "k".repeat(length)) {
        for length in (0..132).chain([16_383, 16_384]) {
            let value = Value::from("v".repeat(length));
            let expected = vec![KeyValue::new(key.clone(), value.clone())];
            assert_eq!(written(&key, &value), [expected.clone(), expected]);
        }
    }
}

#[test]
fn numbers_of_any_size_are_read_as_they_were_written() {
    let powers = (0..63).map(|bits| 1_i64 << bits);
    let numbers = powers.flat_map(|power| [power - 1, power, -power]);
    for number in numbers.chain([i64::MIN, i64::MAX]) {
        for value in [Value::from(number), Value::Array(vec![number; 2].into())] {
            let expected = vec![KeyValue::new("key", value.clone())];
            assert_eq!(written("key", &value), [expected.clone(), expected]);
        }
    }
}
