//! The queue of what is to be picked: a stream in Redis.

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisResult};
use spandrel::{Carrier, propagate, span};

pub(crate) const STREAM: &str = "picking";
pub(crate) const GROUP: &str = "warehouse";

#[derive(Clone)]
pub(crate) struct Picking(MultiplexedConnection);

impl Picking {
    pub(crate) async fn open(url: &str) -> RedisResult<Self> {
        // To wait for what comes is no reason to give up.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await.map(Self)
    }

    #[propagate(inject(fields))]
    #[span(
        "send picking",
        kind(producer),
        messaging.system = "redis",
        messaging.operation.name = "send",
        messaging.operation.type = "send",
        messaging.destination.name = STREAM,
        ok(|id| messaging.message.id = id.as_str())
    )]
    pub(crate) async fn send(&self, mut fields: Vec<(String, String)>) -> RedisResult<String> {
        self.0.clone().xadd(STREAM, "*", &fields).await
    }

    /// Makes this worker one of the group.
    pub(crate) async fn join(&self) -> RedisResult<()> {
        let joined: RedisResult<()> =
            self.0.clone().xgroup_create_mkstream(STREAM, GROUP, "0").await;
        match joined {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            joined => joined,
        }
    }

    /// What no other worker has, as soon as there is some.
    pub(crate) async fn receive(&self, worker: &str) -> RedisResult<Vec<StreamId>> {
        let options = StreamReadOptions::default().group(GROUP, worker).count(10).block(0);
        let reply: Option<StreamReadReply> =
            self.0.clone().xread_options(&[STREAM], &[">"], &options).await?;
        let streams = reply.map(|reply| reply.keys).unwrap_or_default();
        Ok(streams.into_iter().flat_map(|stream| stream.ids).collect())
    }

    /// Acknowledges a batch, which belongs to the traces of all that is in it.
    #[span(
        "ack picking",
        kind(client),
        links(entries.iter().map(Carrier::extract_context)),
        messaging.system = "redis",
        messaging.operation.name = "ack",
        messaging.operation.type = "settle",
        messaging.destination.name = STREAM,
        messaging.consumer.group.name = GROUP,
        messaging.batch.message_count = entries.len()
    )]
    pub(crate) async fn done(&self, entries: &[StreamId]) -> RedisResult<()> {
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        self.0.clone().xack(STREAM, GROUP, &ids).await
    }
}
