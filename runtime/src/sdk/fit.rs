//! What the SDK does not do for the attributes of its spans: one value for each key, and texts of a limited length.

use std::collections::HashMap;

use opentelemetry::{Array, KeyValue, StringValue, Value};

/// Leaves one attribute a key, as the specification wants it: the last value, in the first place.
/// The SDK keeps whatever it is given.
pub(crate) fn keep_last(attributes: &mut Vec<KeyValue>) {
    if all_differ(attributes) {
        return;
    }
    let mut places = HashMap::new();
    for attribute in std::mem::take(attributes) {
        let place = *places.entry(attribute.key.clone()).or_insert(attributes.len());
        match attributes.get_mut(place) {
            Some(earlier) => *earlier = attribute,
            None => attributes.push(attribute),
        }
    }
}

/// Whether all keys differ, as they nearly always do. Of more than a few only those are compared
/// whose marks meet.
fn all_differ(attributes: &[KeyValue]) -> bool {
    let is_new = |index: usize| {
        let (earlier, rest) = attributes.split_at(index);
        earlier.iter().all(|earlier| earlier.key != rest[0].key)
    };
    if attributes.len() <= FEW {
        return (1..attributes.len()).all(is_new);
    }
    let mut met = [0_u64; MARKS / 64];
    attributes.len() <= MARKS / 8
        && attributes.iter().enumerate().all(|(index, attribute)| {
            let mark = mark(attribute.key.as_str());
            let (word, bit) = (&mut met[mark / 64], 1 << (mark % 64));
            let meets = *word & bit != 0;
            *word |= bit;
            !meets || is_new(index)
        })
}

const FEW: usize = 4;
const MARKS: usize = 1 << 10;

/// One of [`MARKS`], by its length, and its first and last bytes.
fn mark(key: &str) -> usize {
    let bytes = key.as_bytes();
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
        }
        _ => bytes.iter().fold(0, |ends, byte| ends << 8 | u64::from(*byte)),
    };
    // Fibonacci hashing: the highest bits are mixed best.
    let mixed = (ends ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (64 - MARKS.ilog2())).unwrap_or_default()
}

/// Leaves this many characters of each text.
pub(crate) fn shorten(attributes: &mut [KeyValue], length: usize) {
    let short = |text: &mut StringValue| {
        if let Some((end, _)) = text.as_str().char_indices().nth(length) {
            *text = text.as_str()[..end].to_owned().into();
        }
    };
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => short(text),
            Value::Array(Array::String(texts)) => texts.iter_mut().for_each(short),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The same by the specification's words.
    fn kept(attributes: &[KeyValue]) -> Vec<KeyValue> {
        let mut kept: Vec<KeyValue> = Vec::new();
        for attribute in attributes {
            match kept.iter_mut().find(|earlier| earlier.key == attribute.key) {
                Some(earlier) => earlier.value = attribute.value.clone(),
                None => kept.push(attribute.clone()),
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn the_last_value_of_a_key_is_kept(
            pairs in vec(("[ab]{0,4}|http[.][a-z]{8,12}[.]name", any::<i64>()), 0..200)
        ) {
            let mut attributes: Vec<_> =
                pairs.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
            let kept = kept(&attributes);
            keep_last(&mut attributes);
            prop_assert_eq!(attributes, kept);
        }
    }
}
