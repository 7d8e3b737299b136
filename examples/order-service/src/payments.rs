//! The service that charges for orders, and the client of it.

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use opentelemetry_instrumentation_tower::http::server::Layer;
use reqwest::{Client, Request, Response};
use serde::{Deserialize, Serialize};
use spandrel::{propagate, shutdown_signal, span, traced_app};
use tokio::net::TcpListener;

use crate::database::Order;
use crate::failure::Failure;

#[derive(Deserialize, Serialize)]
struct Charge {
    order: i64,
    cents: i64,
}

#[derive(Deserialize, Serialize)]
struct Receipt {
    number: String,
}

/// The client.
pub(crate) struct Payments {
    http: Client,
    url: String,
}

impl Payments {
    pub(crate) fn new(url: &str) -> reqwest::Result<Self> {
        // It is on this machine, whatever proxy there is to the rest of the world.
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, url: format!("{url}/charges") })
    }

    /// The number of the receipt.
    pub(crate) async fn charge(&self, order: &Order) -> Result<String, Failure> {
        let charge = Charge { order: order.id, cents: order.cents };
        let request = self.http.post(&self.url).json(&charge).build()?;
        let receipt: Receipt = self.send(request).await?.json().await?;
        Ok(receipt.number)
    }

    #[propagate(inject(request))]
    #[span("POST /charges", kind(client), url.template = "/charges", ..request)]
    async fn send(&self, mut request: Request) -> Result<Response, Failure> {
        let response = self.http.execute(request).await?;
        if response.status() == StatusCode::PAYMENT_REQUIRED {
            return Err(Failure::Declined);
        }
        Ok(response.error_for_status()?)
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct Settings {
    /// Where to listen
    #[arg(long, env = "PAYMENTS_ADDRESS")]
    address: String,
}

/// The service.
struct Till;

#[traced_app("payments", sample(0.1), keep(errors), baggage(tenant.id), logs)]
impl Till {
    fn setup() -> Self {
        Self
    }
}

#[span("charge", order.cents = charge.cents)]
async fn charge(Json(charge): Json<Charge>) -> Result<Json<Receipt>, Failure> {
    if charge.cents > 1_000_000 {
        return Err(Failure::Declined);
    }
    log::info!("order {} is paid for", charge.order);
    Ok(Json(Receipt { number: format!("R-{}", charge.order) }))
}

pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    let till = Till::setup();
    let router = Router::new().route("/charges", post(charge)).layer(Layer::new());
    let listener = TcpListener::bind(settings.address).await?;
    println!("ready http://{}", listener.local_addr()?);
    axum::serve(listener, router).with_graceful_shutdown(shutdown_signal()).await?;
    till.teardown();
    Ok(())
}
