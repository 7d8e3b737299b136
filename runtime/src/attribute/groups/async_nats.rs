//! Messages of NATS.

use async_nats::{HeaderValue, Message};

use super::messages::set_operation;
use crate::attribute::{Attributes, ToAttributes};

/// A message that is processed: `messaging.system`, `.operation.name` and `.operation.type`, `.destination.name` (the subject), and
/// `.message.id` if the message has a header `Nats-Msg-Id`.
impl ToAttributes for Message {
    fn to_attributes(&self, attributes: &mut Attributes) {
        set_operation(attributes, "nats", "process");
        attributes.set("messaging.destination.name", self.subject.as_str());
        let id = self.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
        attributes.set("messaging.message.id", &id.map(HeaderValue::as_str));
    }
}
