//! The worker that picks the goods, as the queue says.

use redis::streams::StreamId;
use spandrel::{propagate, shutdown_signal, span, traced_app};

use crate::database::Database;
use crate::failure::Failure;
use crate::picking::{GROUP, Picking, STREAM};

#[derive(clap::Args, Debug)]
pub(crate) struct Settings {
    #[arg(long, env = "DATABASE_URL")]
    database: String,
    #[arg(long, env = "REDIS_URL")]
    redis: String,
}

struct Warehouse {
    database: Database,
    picking: Picking,
}

#[traced_app("warehouse", sample(0.1), keep(errors), baggage(tenant.id), logs)]
impl Warehouse {
    async fn setup(settings: &Settings) -> Result<Self, Failure> {
        let picking = Picking::open(&settings.redis).await?;
        picking.join().await?;
        Ok(Self { database: Database::open(&settings.database).await?, picking })
    }

    #[propagate(entry, link(entry))]
    #[span(
        "process picking",
        kind(consumer),
        messaging.destination.name = STREAM,
        messaging.consumer.group.name = GROUP,
        ..entry
    )]
    async fn pick(&self, entry: &StreamId) -> Result<(), Failure> {
        let order = entry.get("order").ok_or(Failure::Message)?;
        self.database.packed(order).await?;
        log::info!("order {order} is packed");
        Ok(())
    }

    async fn work(&self) -> Result<(), Failure> {
        let worker = std::process::id().to_string();
        loop {
            let entries = self.picking.receive(&worker).await?;
            for entry in &entries {
                // What went wrong is on the span; the rest of the queue is not to blame.
                let _ = self.pick(entry).await;
            }
            self.picking.done(&entries).await?;
        }
    }
}

pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    let warehouse = Warehouse::setup(&settings).await?;
    println!("ready");
    let worked = tokio::select! {
        worked = warehouse.work() => worked,
        () = shutdown_signal() => Ok(()),
    };
    warehouse.teardown();
    worked
}
