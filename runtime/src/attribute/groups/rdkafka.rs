//! Records and messages of Kafka.

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, OwnedMessage, ToBytes};
use rdkafka::producer::future_producer::Delivery;
use rdkafka::producer::{BaseRecord, FutureRecord};
use rdkafka::util::IntoOpaque;

use super::messages::set_operation;
use crate::attribute::{Attributes, ToAttributes};

/// A record that is sent, or a message that was received.
struct KafkaMessage<'a> {
    topic: &'a str,
    partition: Option<i32>,
    key: Option<&'a [u8]>,
    is_tombstone: bool,
}

impl KafkaMessage<'_> {
    fn set(&self, attributes: &mut Attributes, operation: &str) {
        let Self { topic, partition, key, is_tombstone } = *self;
        set_operation(attributes, "kafka", operation);
        attributes.set("messaging.destination.name", topic);
        set_partition(attributes, partition);
        attributes
            .set("messaging.kafka.message.key", &key.and_then(|key| str::from_utf8(key).ok()));
        attributes.set("messaging.kafka.message.tombstone", &is_tombstone.then_some(true));
    }
}

/// The partition, once it is known.
fn set_partition(attributes: &mut Attributes, partition: Option<i32>) {
    let known = partition.filter(|partition| *partition >= 0);
    attributes.set("messaging.destination.partition.id", &known.map(|number| number.to_string()));
}

fn set_offset(attributes: &mut Attributes, offset: i64) {
    attributes.set("messaging.kafka.offset", &Some(offset).filter(|offset| *offset >= 0));
}

/// A record that is sent: `messaging.system`, `.operation.name` and `.operation.type`, `.destination.name` (the topic),
/// `.destination.partition.id` if the record names one, `.kafka.message.key` if it is text, and `.kafka.message.tombstone` for a
/// record without a payload.
impl<K: ToBytes + ?Sized, P: ToBytes + ?Sized> ToAttributes for FutureRecord<'_, K, P> {
    fn to_attributes(&self, attributes: &mut Attributes) {
        let Self { topic, partition, payload, key, .. } = self;
        let (key, is_tombstone) = (key.map(ToBytes::to_bytes), payload.is_none());
        let message = KafkaMessage { topic, partition: *partition, key, is_tombstone };
        message.set(attributes, "send");
    }
}

/// As for `FutureRecord`.
impl<K: ToBytes + ?Sized, P: ToBytes + ?Sized, D: IntoOpaque> ToAttributes
    for BaseRecord<'_, K, P, D>
{
    fn to_attributes(&self, attributes: &mut Attributes) {
        let Self { topic, partition, payload, key, .. } = self;
        let (key, is_tombstone) = (key.map(ToBytes::to_bytes), payload.is_none());
        let message = KafkaMessage { topic, partition: *partition, key, is_tombstone };
        message.set(attributes, "send");
    }
}

/// Where a message was delivered to: `messaging.destination.partition.id` and `messaging.kafka.offset`.
impl ToAttributes for Delivery {
    fn to_attributes(&self, attributes: &mut Attributes) {
        set_partition(attributes, Some(self.partition));
        set_offset(attributes, self.offset);
    }
}

macro_rules! messages {
    ($($ty:ty)*) => {$(
        /// A message that is processed: as for a `FutureRecord`, with `messaging.kafka.offset`. The operation is `process`.
        impl ToAttributes for $ty {
            fn to_attributes(&self, attributes: &mut Attributes) {
                let message = KafkaMessage {
                    topic: self.topic(),
                    partition: Some(self.partition()),
                    key: self.key(),
                    is_tombstone: self.payload().is_none(),
                };
                message.set(attributes, "process");
                set_offset(attributes, self.offset());
            }
        }
    )*};
}

messages!(BorrowedMessage<'_> OwnedMessage);
