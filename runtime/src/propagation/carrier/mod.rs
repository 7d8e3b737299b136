//! What `#[propagate]` reads trace context from and writes it to.

#[cfg(feature = "async-nats")]
mod async_nats;
#[cfg(feature = "http")]
mod http;
pub(super) mod kinds;
#[cfg(feature = "lapin")]
mod lapin;
mod option;
pub(super) mod process;
#[cfg(feature = "rdkafka")]
mod rdkafka;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
pub(crate) mod resolve;
#[cfg(feature = "tonic")]
mod tonic;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::Propagator;
use super::current::{read, write};

/// A type that carries a trace context in without being an OpenTelemetry [`Extractor`]; those are
/// carriers too.
pub trait Carrier {
    /// The context in this carrier, over the current one.
    fn extract_context(&self) -> Context;
}

/// A type that carries a trace context out without being an OpenTelemetry [`Injector`]; those are
/// carriers too.
pub trait CarrierMut {
    /// Writes the current context into this carrier.
    fn inject_context(&mut self);
}

/// A carrier that may be a trait object.
struct Borrowed<'a, T: ?Sized>(&'a T);

impl<T: Extractor + ?Sized> Extractor for Borrowed<'_, T> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.0.get_all(key)
    }
}

/// Names and values of any carrier. Names are compared without regard to case, as those of headers are.
#[derive(Default)]
struct Pairs<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> Pairs<'a> {
    fn of_texts(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Cow::Borrowed(value))).collect())
    }

    /// For carriers whose values may be something other than text: a value is bytes, or `None` where it is
    /// no string of any kind. U+FFFD stands for whatever is no text. No format takes that for valid, so
    /// such a value counts as malformed, not as absent, and of `baggage` one member is left out.
    #[cfg(any(feature = "http", feature = "lapin", feature = "rdkafka", feature = "redis"))]
    fn of_bytes(pairs: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        let text = |value: Option<&'a [u8]>| match value {
            Some(bytes) => String::from_utf8_lossy(bytes),
            None => Cow::Borrowed("\u{fffd}"),
        };
        Self(pairs.into_iter().map(|(name, value)| (name, text(value))).collect())
    }
}

impl Extractor for Pairs<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values = self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        Some(values.map(|(_, value)| &**value).collect())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Carrier for [(K, V)] {
    fn extract_context(&self) -> Context {
        read(&Pairs::of_texts(self.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))))
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> Carrier for [(K, V); N] {
    fn extract_context(&self) -> Context {
        self[..].extract_context()
    }
}

impl<V: AsRef<str>> Carrier for BTreeMap<String, V> {
    fn extract_context(&self) -> Context {
        read(&Pairs::of_texts(self.iter().map(|(key, value)| (key.as_str(), value.as_ref()))))
    }
}

/// Calls a closure for each pair that is injected.
struct Each<F>(F);

impl<F: FnMut(&str, String)> Injector for Each<F> {
    fn set(&mut self, key: &str, value: String) {
        (self.0)(key, value);
    }
}

/// The current context as it is written. It takes the place of all that a carrier has of another.
struct WrittenHeaders(Vec<(String, String)>);

impl WrittenHeaders {
    /// None where there is nothing to write.
    fn now() -> Option<Self> {
        let mut pairs = Vec::new();
        write(&mut Each(|key: &str, value| pairs.push((key.to_owned(), value))));
        (!pairs.is_empty()).then_some(Self(pairs))
    }

    /// Whether what is in a carrier under this name goes.
    fn replaces(name: &str) -> bool {
        Propagator::global().fields().any(|field| name.eq_ignore_ascii_case(field))
    }
}

/// A map, whatever case the names in it have. OpenTelemetry's [`Extractor`] of a `HashMap` finds those in lower
/// case only.
pub(crate) fn read_map<S: BuildHasher>(map: &HashMap<String, String, S>) -> Context {
    read(&Pairs::of_texts(map.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
}

pub(crate) fn write_map<S: BuildHasher>(map: &mut HashMap<String, String, S>) {
    let Some(written) = WrittenHeaders::now() else { return };
    map.retain(|name, _| !WrittenHeaders::replaces(name));
    map.extend(written.0);
}

impl CarrierMut for Vec<(String, String)> {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
        self.retain(|(name, _)| !WrittenHeaders::replaces(name));
        self.extend(written.0);
    }
}

impl CarrierMut for BTreeMap<String, String> {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
        self.retain(|name, _| !WrittenHeaders::replaces(name));
        self.extend(written.0);
    }
}

#[cfg(test)]
// Of the traits that `extract!` and `inject!` import, each call uses one. The lint asks for that in this crate only.
#[allow(unused_imports)]
mod tests {
    use opentelemetry::ContextGuard;
    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState};

    use super::*;
    use crate::__private::{extract, inject, linked};

    pub(super) const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const SENT: &str = "00-0000000000000000000000000000000a-000000000000000b-01";
    /// What every carrier holds before a context is injected.
    pub(super) const BEFORE: [(&str, &str); 3] =
        [("TraceParent", PARENT), ("tracestate", "a=1"), ("kept", "as it is")];

    /// Asserts that this is the trace of [`PARENT`], with this state and these keys in the baggage.
    #[track_caller]
    pub(super) fn assert_extracted(context: &Context, state: &str, baggage: &[&str]) {
        let span = context.span();
        let span = span.span_context();
        assert_eq!(format!("00-{}-{}-01", span.trace_id(), span.span_id()), PARENT);
        assert_eq!(span.trace_state().header(), state);
        let mut keys: Vec<_> = context.baggage().iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, baggage);
    }

    #[track_caller]
    pub(super) fn assert_nothing(context: &Context) {
        assert!(!context.span().span_context().is_valid());
    }

    /// Makes a context current, which is injected.
    pub(super) fn attach() -> ContextGuard {
        let (trace, span, flags) = (0xa_u128.into(), SpanId::from(0xb), TraceFlags::SAMPLED);
        let span = SpanContext::new(trace, span, flags, false, TraceState::NONE);
        Context::new().with_remote_span_context(span).attach()
    }

    /// Asserts that what was attached took the place of [`BEFORE`], and that the rest is there.
    #[track_caller]
    pub(super) fn assert_injected<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_unstable();
        assert_eq!(pairs, [("kept", "as it is"), ("traceparent", SENT)]);
    }

    fn list() -> Vec<(String, String)> {
        BEFORE.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn map() -> BTreeMap<String, String> {
        list().into_iter().collect()
    }

    #[test]
    fn lists_and_maps_are_carriers() {
        let pairs = [("TraceParent", PARENT), ("tracestate", "a=1"), ("TRACESTATE", "b=2")];
        assert_extracted(&pairs[..].extract_context(), "a=1,b=2", &[]);
        assert_nothing(&[("traceparent", PARENT), ("Traceparent", PARENT)][..].extract_context());
        assert_extracted(&map().extract_context(), "a=1", &[]);
        let map = HashMap::from([("traceparent".to_owned(), PARENT.to_owned())]);
        assert_extracted(&extract!(map, spandrel_extract), "", &[]);
        let dynamic: &dyn Extractor = &map;
        assert_extracted(&extract!(dynamic, spandrel_extract), "", &[]);
        assert_extracted(&extract!(pairs, spandrel_extract), "a=1,b=2", &[]);
    }

    #[test]
    fn keys_are_those_that_came() {
        let pairs = Pairs::of_texts([("A", "1"), ("b", "2")]);
        assert_eq!(pairs.keys(), ["A", "b"]);
        assert_eq!((pairs.get("a"), pairs.get("B"), pairs.get("c")), (Some("1"), Some("2"), None));
        assert_eq!(Borrowed(&pairs).keys(), ["A", "b"]);
        assert_eq!(Borrowed(&pairs).get("a"), Some("1"));
        assert_eq!(Borrowed(&pairs).get_all("a"), Some(vec!["1"]));
    }

    #[test]
    fn lists_and_maps_are_injected_into() {
        let (mut list, mut map) = (list(), map());
        let unchanged = list.clone();
        list.inject_context();
        assert_eq!(list, unchanged, "there is nothing to send");
        let attached = attach();
        inject!(list, spandrel_inject);
        map.inject_context();
        assert_injected(list.iter().map(|(name, value)| (&**name, &**value)));
        assert_injected(map.iter().map(|(name, value)| (&**name, &**value)));
        let mut map = HashMap::<String, String>::new();
        inject!(map, spandrel_inject);
        assert_eq!(map["traceparent"], SENT);
        drop(attached);
    }

    #[test]
    fn names_in_a_hash_map_are_found_in_any_case() {
        let mut map: Headers = list().into_iter().collect();
        assert_extracted(&extract!(map, spandrel_extract), "a=1", &[]);
        assert_extracted(&extract!(&map, spandrel_extract), "a=1", &[]);
        assert_extracted(&extract!(&mut map, spandrel_extract), "a=1", &[]);
        let attached = attach();
        let mut other = map.clone();
        inject!(other, spandrel_inject);
        let behind = &mut map;
        inject!(behind, spandrel_inject);
        for map in [&map, &other] {
            assert_injected(map.iter().map(|(name, value)| (&**name, &**value)));
        }
        drop(attached);
    }

    /// A carrier of the program's own.
    struct Message(Headers);

    impl Carrier for Message {
        fn extract_context(&self) -> Context {
            extract!(self.0, spandrel_extract)
        }
    }

    #[test]
    fn functions_take_what_the_attribute_takes() {
        let map = Headers::from([("traceparent".to_owned(), PARENT.to_owned())]);
        let dynamic: &dyn Extractor = &map;
        let parent = |context: Context| context.span().span_context().trace_id().to_string();
        let found = [
            crate::extract(&map),
            crate::extract(dynamic),
            crate::extract(&Some(map.clone())),
            crate::extract(&list()[..]),
            crate::extract(&[("traceparent", PARENT)]),
            crate::extract(&Message(map.clone())),
        ];
        assert_eq!(found.map(parent), [&PARENT[3..35]; 6]);
        let attached = attach();
        let (mut map, mut pairs, mut missing) = (Headers::new(), list(), None::<Headers>);
        crate::inject(&mut map);
        crate::inject(&mut pairs);
        crate::inject(&mut missing);
        let dynamic: &mut dyn Injector = &mut map;
        crate::inject(dynamic);
        drop(attached);
        assert_injected(pairs.iter().map(|(name, value)| (&**name, &**value)));
        assert_eq!(map["traceparent"], SENT);
        assert_eq!(missing, Some(map));
    }

    #[test]
    fn a_list_of_messages_has_a_context_for_each() {
        let message = || Message(Headers::from([("traceparent".to_owned(), PARENT.to_owned())]));
        let messages = vec![message(), message()];
        let count = |contexts: Vec<Context>| {
            contexts.iter().filter(|context| context.span().span_context().is_valid()).count()
        };
        assert_eq!(count(linked!(messages, spandrel_linked)), 2);
        assert_eq!(count(linked!(&messages[..], spandrel_linked)), 2);
        assert_eq!(count(linked!([&messages[0], &message()], spandrel_linked)), 2);
        assert_eq!(count(linked!(&messages[0], spandrel_linked)), 1);
        assert_eq!(count(linked!(messages[0].0, spandrel_linked)), 1);
        let pairs = [("traceparent", PARENT)];
        assert_eq!(count(linked!(&pairs[..], spandrel_linked)), 1);
    }

    type Headers = HashMap<String, String>;

    /// A type that is a carrier itself and points to another one.
    struct Nearest(Headers);

    impl std::ops::Deref for Nearest {
        type Target = Headers;

        fn deref(&self) -> &Headers {
            &self.0
        }
    }

    impl Carrier for Nearest {
        fn extract_context(&self) -> Context {
            Context::new()
        }
    }

    #[test]
    fn pointers_lead_to_the_nearest_carrier() {
        let map = Headers::from([("traceparent".to_owned(), PARENT.to_owned())]);
        let mut nearest = Nearest(map.clone());
        assert_extracted(&extract!(&&&map, spandrel_extract), "", &[]);
        assert_extracted(&extract!(std::sync::Arc::new(&map), spandrel_extract), "", &[]);
        assert_extracted(&extract!(&nearest.0, spandrel_extract), "", &[]);
        assert_nothing(&extract!(nearest, spandrel_extract));
        assert_nothing(&extract!(&&mut nearest, spandrel_extract));
        let attached = attach();
        let (mut boxed, mut map) = (Box::new(map), Headers::new());
        let (behind, mut dynamic): (&mut Box<Headers>, &mut dyn Injector) = (&mut boxed, &mut map);
        inject!(behind, spandrel_inject);
        inject!(&mut dynamic, spandrel_inject);
        drop(attached);
        assert_eq!((boxed["traceparent"].as_str(), map["traceparent"].as_str()), (SENT, SENT));
    }

    #[test]
    fn what_is_missing_is_empty_and_is_made_to_be_injected_into() {
        let (missing, mut list) = (None::<BTreeMap<String, String>>, None::<Vec<_>>);
        assert_nothing(&missing.extract_context());
        assert_extracted(&Some(map()).extract_context(), "a=1", &[]);
        assert_extracted(&Some(&map()).extract_context(), "a=1", &[]);
        let map = HashMap::from([("traceparent".to_owned(), PARENT.to_owned())]);
        assert_extracted(&extract!(Some(map.clone()), spandrel_extract), "", &[]);
        assert_extracted(&extract!(Some(&map), spandrel_extract), "", &[]);
        assert_nothing(&extract!(None::<HashMap<String, String>>, spandrel_extract));
        assert_nothing(&extract!(None::<&HashMap<String, String>>, spandrel_extract));
        let attached = attach();
        CarrierMut::inject_context(&mut list);
        assert_eq!(list.expect("it was made"), [("traceparent".to_owned(), SENT.to_owned())]);
        let mut map = None::<HashMap<String, String>>;
        inject!(map, spandrel_inject);
        assert_eq!(map.expect("it was made")["traceparent"], SENT);
        // Empty, not absent: what is current is the parent.
        assert_eq!(missing.extract_context().span().span_context().span_id(), SpanId::from(0xb));
        drop(attached);
    }
}
