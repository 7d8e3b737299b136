//! The consumer that mails customers when their orders are placed.

use std::io::{Write, stdout};

use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientContext, Message};
use spandrel::{propagate, shutdown_signal, span, traced_app};

use crate::database::Database;
use crate::events::{GROUP, subscribe};
use crate::failure::Failure;

#[derive(clap::Args, Debug)]
pub(crate) struct Settings {
    #[arg(long, env = "DATABASE_URL")]
    database: String,
    #[arg(long, env = "KAFKA_BROKERS")]
    kafka: String,
}

struct Mailer {
    database: Database,
    placed: StreamConsumer<Ready>,
}

#[traced_app("mailer", sample(0.1), keep(errors), baggage(tenant.id), logs)]
impl Mailer {
    async fn setup(settings: &Settings) -> Result<Self, Failure> {
        let database = Database::open(&settings.database).await?;
        Ok(Self { database, placed: subscribe(&settings.kafka, Ready)? })
    }

    #[propagate(message, link(message))]
    #[span("process order-placed", kind(consumer), messaging.consumer.group.name = GROUP, ..message)]
    async fn mail(&self, message: &BorrowedMessage<'_>) -> Result<(), Failure> {
        let order = message.payload_view::<str>().and_then(Result::ok);
        let order = order.and_then(|order| order.parse().ok()).ok_or(Failure::Message)?;
        self.database.mailed(order).await?;
        log::info!("the customer of order {order} is told");
        Ok(())
    }

    async fn work(&self) -> Result<(), Failure> {
        loop {
            let message = self.placed.recv().await?;
            // What went wrong is on the span; the next customer is not to blame.
            let _ = self.mail(&message).await;
        }
    }
}

/// Says so when the mailer has its share of the topic.
struct Ready;

impl ClientContext for Ready {}

impl ConsumerContext for Ready {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(_) = rebalance {
            // Later on nobody listens.
            let _ = writeln!(stdout(), "ready");
        }
    }
}

pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    let mailer = Mailer::setup(&settings).await?;
    let worked = tokio::select! {
        worked = mailer.work() => worked,
        () = shutdown_signal() => Ok(()),
    };
    mailer.teardown();
    worked
}
