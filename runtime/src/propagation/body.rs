//! A trace context in a body, where a caller may have put anything: what is none is left out, and the
//! request is read all the same.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::TraceContext;

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Formats that do not say what comes next must be told.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Lenient::new())
        } else {
            deserializer.deserialize_map(Lenient::new())
        }
    }
}

/// A text, or something else.
#[derive(Default)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Lenient::new())
        } else {
            deserializer.deserialize_string(Lenient::new())
        }
    }
}

/// Takes what it is given for a value, or for the empty one.
struct Lenient<T>(PhantomData<T>);

impl<T> Lenient<T> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

/// What can be made of a text or of a map.
trait FromBody: Default {
    fn from_text(_text: &str) -> Self {
        Self::default()
    }

    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl FromBody for Text {
    fn from_text(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl FromBody for TraceContext {
    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut carrier = Self::default();
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            carrier.add(&name.unwrap_or_default(), value.unwrap_or_default());
        }
        Ok(carrier)
    }
}

impl<'de, T: FromBody> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::from_text(text))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i128<E>(self, _: i128) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u128<E>(self, _: u128) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_none<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }
}

#[cfg(all(test, feature = "app"))]
mod tests {
    use std::collections::BTreeMap;

    use serde::de::value::{Error, MapDeserializer, SeqDeserializer};

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(json: &str) -> String {
        let carrier: TraceContext = serde_json::from_str(json).expect("it is read");
        serde_json::to_string(&carrier).expect("JSON")
    }

    #[test]
    fn anything_is_read_and_what_is_no_context_is_left_out() {
        let context = format!(r#"{{"traceparent":"{PARENT}"}}"#);
        assert_eq!(read(&context), context);
        for anything in [
            "5",
            "-5",
            "5.5",
            "true",
            "null",
            r#""text""#,
            "[]",
            r#"[{"traceparent":1},"a"]"#,
            "{}",
            "18446744073709551615",
            r#"{"a":{"b":"c"},"d":1}"#,
        ] {
            assert_eq!(read(anything), "{}", "{anything}");
            let beside =
                format!(r#"{{"baggage":{anything},"traceparent":"{PARENT}","x":{anything}}}"#);
            let expected = match anything {
                r#""text""# => format!(r#"{{"baggage":"text","traceparent":"{PARENT}"}}"#),
                _ => context.clone(),
            };
            assert_eq!(read(&beside), expected, "{anything}");
        }
    }

    #[test]
    fn an_optional_context_is_read() {
        struct Optional<'a>(&'a [(&'a str, &'a str)]);

        impl<'de> Deserializer<'de> for Optional<'de> {
            type Error = Error;

            fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                let pairs = self.0.iter().copied();
                visitor.visit_some(MapDeserializer::<_, Error>::new(pairs))
            }

            serde::forward_to_deserialize_any! {
                bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
                option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
                identifier ignored_any
            }
        }

        let read = TraceContext::deserialize(Optional(&[("traceparent", PARENT)]));
        assert!(!read.expect("a map").is_empty());
        let list = SeqDeserializer::<_, Error>::new(["a", "b"].into_iter());
        assert!(TraceContext::deserialize(list).expect("anything").is_empty());
    }

    #[test]
    fn a_body_that_says_its_types_is_read_by_them() {
        let read = |pairs: BTreeMap<&str, &str>| {
            let pairs = MapDeserializer::<_, Error>::new(pairs.into_iter());
            TraceContext::deserialize(pairs).expect("a map")
        };
        assert!(!read(BTreeMap::from([("traceparent", PARENT)])).is_empty());
        assert!(read(BTreeMap::from([("x", "y")])).is_empty());
    }
}
