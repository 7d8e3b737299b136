//! Every process of the shop from one command.

mod embedded;
mod process;
mod queue;
mod services;

use std::pin::pin;
use std::time::Duration;

use axum::http::StatusCode;
use spandrel::shutdown_signal;
use tokio::time::{Instant, sleep};

use crate::database::Database;
use crate::failure::Failure;
use embedded::Embedded;
use services::Services;

#[derive(clap::Args, Debug)]
pub(crate) struct Shop {
    /// How many processes take orders
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// The order to place: 1 goes well, 2 is out of stock, 3 is not paid for
    #[arg(long, default_value_t = 1)]
    order: i64,
    /// Take orders until Ctrl-C, and place none
    #[arg(long)]
    serve: bool,
}

impl Shop {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        // From here on Ctrl-C stops the services, too.
        let mut told_to_stop = pin!(shutdown_signal());
        let embedded = Embedded::start().await?;
        let database = Database::open(&embedded.database).await?;
        database.fill().await?;

        let services = tokio::select! {
            services = Services::start(&embedded, self.workers) => services?,
            () = &mut told_to_stop => return Ok(()),
        };
        if self.serve {
            println!("ready {}", services.url);
        }
        let done = tokio::select! {
            done = self.place(&services.url, &database), if !self.serve => done,
            () = told_to_stop => Ok(()),
        };
        services.stop().await?;
        embedded.draw();
        done
    }

    /// Places the order, and waits until it has gone all its ways.
    async fn place(&self, url: &str, database: &Database) -> Result<(), Failure> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let request = http.post(format!("{url}/orders/{}/checkout", self.order));
        let response = request.header("x-tenant", "acme").send().await?;
        let status = response.status();
        println!("{status} {}", response.text().await?);
        if status == StatusCode::ACCEPTED {
            wait(self.order, database).await?;
        }
        Ok(())
    }
}

async fn wait(order: i64, database: &Database) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !database.is_done(order).await? {
        if Instant::now() > deadline {
            return Err(Failure::Stuck(order));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
