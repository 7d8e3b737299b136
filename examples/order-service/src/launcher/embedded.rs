//! What the services need, unless the environment says where it is.

use std::env;

use collector::Collector;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tempfile::TempDir;

use super::queue;
use crate::events::TOPIC;
use crate::failure::Failure;

/// A file for the database, a queue that speaks Redis's protocol, librdkafka's mock of a Kafka
/// cluster, and a collector: each gone when this is dropped.
pub(crate) struct Embedded {
    pub(crate) database: String,
    variables: Vec<(&'static str, String)>,
    collector: Option<Collector>,
    _folder: TempDir,
    _kafka: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Embedded {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let database = set("DATABASE_URL").unwrap_or_else(|| {
            format!("sqlite://{}?mode=rwc", folder.path().join("orders.db").display())
        });
        let redis = match set("REDIS_URL") {
            Some(url) => url,
            None => queue::start().await?,
        };
        let kafka = if set("KAFKA_BROKERS").is_none() { Some(kafka()?) } else { None };
        let brokers = kafka.as_ref().map(MockCluster::bootstrap_servers);
        let brokers = brokers.or_else(|| set("KAFKA_BROKERS")).unwrap_or_default();

        let mut variables = vec![
            ("DATABASE_URL", database.clone()),
            ("REDIS_URL", redis),
            ("KAFKA_BROKERS", brokers),
            ("PAYMENTS_ADDRESS", "127.0.0.1:0".to_owned()),
        ];
        let collector = if reports() { None } else { Some(Collector::start()?) };
        if let Some(collector) = &collector {
            variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint().to_owned()));
            variables.push(("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf".to_owned()));
        }
        if set("OTEL_SAMPLE_RATE").is_none() {
            // One order in ten is enough for those who have many.
            variables.push(("OTEL_SAMPLE_RATE", "1".to_owned()));
        }
        Ok(Self { database, variables, collector, _folder: folder, _kafka: kafka })
    }

    /// For the environment of the services.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.variables.iter().cloned()
    }

    /// Draws what has been collected.
    pub(crate) fn draw(&self) {
        if let Some(collector) = &self.collector {
            for trace in collector.traces() {
                print!("{}", collector.tree(&trace).unwrap_or_default());
            }
        }
    }
}

fn kafka() -> Result<MockCluster<'static, DefaultProducerContext>, Failure> {
    let cluster = MockCluster::new(1)?;
    cluster.create_topic(TOPIC, 1, 1)?;
    Ok(cluster)
}

/// Whether the user has spans sent somewhere.
fn reports() -> bool {
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER"]
        .into_iter()
        .any(|name| set(name).is_some())
}

/// A variable that is set to something.
pub(super) fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
