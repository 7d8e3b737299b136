//! What others may want to know: events in Kafka.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaResult;
use rdkafka::producer::future_producer::Delivery;
use rdkafka::producer::{FutureProducer, FutureRecord};
use spandrel::{propagate, span};

pub(crate) const TOPIC: &str = "order-placed";
pub(crate) const GROUP: &str = "mailer";

pub(crate) struct Events(FutureProducer);

impl Events {
    pub(crate) fn new(brokers: &str) -> KafkaResult<Self> {
        ClientConfig::new().set("bootstrap.servers", brokers).create().map(Self)
    }

    pub(crate) async fn order_placed(&self, id: i64) -> KafkaResult<()> {
        let id = id.to_string();
        self.send(FutureRecord::to(TOPIC).key(&id).payload(&id)).await.map(drop)
    }

    #[propagate(inject(record))]
    #[span("send order-placed", kind(producer), ..record, ok(|delivery| ..delivery))]
    async fn send(&self, mut record: FutureRecord<'_, String, String>) -> KafkaResult<Delivery> {
        self.0.send(record, Duration::from_secs(5)).await.map_err(|(error, _)| error)
    }
}

/// Who wants to know. It has its share of the topic some time after.
pub(crate) fn subscribe<C: ConsumerContext + 'static>(
    brokers: &str,
    context: C,
) -> KafkaResult<StreamConsumer<C>> {
    let consumer: StreamConsumer<C> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", GROUP)
        .set("auto.offset.reset", "earliest")
        .create_with_context(context)?;
    consumer.subscribe(&[TOPIC])?;
    Ok(consumer)
}
