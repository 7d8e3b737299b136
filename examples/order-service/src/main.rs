//! A shop: four services, a database, a queue and a broker, and one trace through all of them.
//!
//! ```text
//! cargo run -p order-service
//! ```

mod database;
mod events;
mod failure;
mod launcher;
mod mailer;
mod orders;
mod payments;
mod picking;
mod warehouse;

use std::error::Error;
use std::iter::successors;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Starts the services of a shop, sends one order through them, and draws its trace.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Command {
    #[command(flatten)]
    shop: launcher::Shop,
    /// One service alone, as the shop starts them.
    #[command(subcommand)]
    service: Option<Service>,
}

#[derive(Debug, Subcommand)]
enum Service {
    /// Takes orders over HTTP
    Orders(orders::Settings),
    /// Charges for them, over HTTP
    Payments(payments::Settings),
    /// Picks the goods, as the queue in Redis says
    Warehouse(warehouse::Settings),
    /// Mails the customers whose orders are in Kafka
    Mailer(mailer::Settings),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command { shop, service } = Command::parse();
    let done = match service {
        None => shop.run().await,
        Some(Service::Orders(settings)) => orders::run(settings).await,
        Some(Service::Payments(settings)) => payments::run(settings).await,
        Some(Service::Warehouse(settings)) => warehouse::run(settings).await,
        Some(Service::Mailer(settings)) => mailer::run(settings).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("order-service: {error}");
            for cause in successors(error.source(), |&cause| cause.source()) {
                eprint!(": {cause}");
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}
