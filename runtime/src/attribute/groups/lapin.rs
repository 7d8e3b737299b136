//! Messages of AMQP.

use lapin::message::Delivery;
use lapin::types::ShortString;

use super::messages::set_operation;
use crate::attribute::{Attributes, ToAttributes};

/// A message that is processed: `messaging.system` (`rabbitmq`), `.operation.name` and `.operation.type`, `.destination.name` (exchange and
/// routing key, as far as they have names, with a colon between), `.rabbitmq.destination.routing_key`,
/// `.rabbitmq.message.delivery_tag`, `.message.id`, and `.message.conversation_id` (AMQP's correlation id).
impl ToAttributes for Delivery {
    fn to_attributes(&self, attributes: &mut Attributes) {
        let (exchange, routing_key) = (self.exchange.as_str(), self.routing_key.as_str());
        set_operation(attributes, "rabbitmq", "process");
        let destination = match (exchange, routing_key) {
            ("", "") => "amq.default".to_owned(),
            ("", name) | (name, "") => name.to_owned(),
            (exchange, routing_key) => format!("{exchange}:{routing_key}"),
        };
        attributes.set("messaging.destination.name", &destination);
        let routing_key = Some(routing_key).filter(|key| !key.is_empty());
        attributes.set("messaging.rabbitmq.destination.routing_key", &routing_key);
        attributes.set("messaging.rabbitmq.message.delivery_tag", &self.delivery_tag);
        let id = self.properties.message_id().as_ref().map(ShortString::as_str);
        attributes.set("messaging.message.id", &id);
        let conversation = self.properties.correlation_id().as_ref().map(ShortString::as_str);
        attributes.set("messaging.message.conversation_id", &conversation);
    }
}
