//! The limits of a span that an SDK records.

#[cfg(feature = "app")]
use opentelemetry_sdk::trace::SpanLimits;

#[cfg(feature = "app")]
use crate::encoding::Limits;

/// How much a span may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) attributes: usize,
    pub(crate) events: usize,
}

/// How many more attributes are buffered than a span may hold, so that the SDK counts them as dropped. Its own
/// limit is as much higher.
pub(crate) const SPARE: u32 = 1024;

#[cfg(feature = "app")]
impl From<Limits> for Capacity {
    fn from(limits: Limits) -> Self {
        let number = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        Self { attributes: number(limits.attributes), events: number(limits.events) }
    }
}

#[cfg(feature = "app")]
impl From<Limits> for SpanLimits {
    /// The SDK counts an attribute each time that it is set, and drops the last ones. So it is allowed more, and
    /// the rest is taken away at the end.
    fn from(limits: Limits) -> Self {
        Self {
            max_events_per_span: limits.events,
            max_attributes_per_span: limits.attributes.saturating_add(SPARE),
            max_links_per_span: limits.links,
            max_attributes_per_event: limits.event_attributes,
            max_attributes_per_link: limits.link_attributes,
        }
    }
}
