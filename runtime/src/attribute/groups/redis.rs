//! Entries of Redis streams.

use redis::streams::{StreamId, StreamKey};

use super::messages::set_operation;
use crate::attribute::{Attributes, ToAttributes};

/// An entry that is processed: `messaging.system`, `.operation.name` and `.operation.type`, and `.message.id`. An entry does not
/// know its stream: write `messaging.destination.name = STREAM` beside it.
impl ToAttributes for StreamId {
    fn to_attributes(&self, attributes: &mut Attributes) {
        set_operation(attributes, "redis", "process");
        attributes.set("messaging.message.id", self.id.as_str());
    }
}

/// Entries that are processed together: as for one, with `messaging.destination.name` (the stream) and
/// `.batch.message_count` in place of an id.
impl ToAttributes for StreamKey {
    fn to_attributes(&self, attributes: &mut Attributes) {
        set_operation(attributes, "redis", "process");
        attributes.set("messaging.destination.name", self.key.as_str());
        attributes.set("messaging.batch.message_count", &self.ids.len());
    }
}
