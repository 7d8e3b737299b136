//! The service that takes orders. `POST /orders/{id}/checkout` reads an order from the database, has
//! it paid for by another service, and tells the warehouse and the mailer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use opentelemetry_instrumentation_tower::http::server::Layer;
use serde::Serialize;
use spandrel::{propagate, shutdown_signal, span, traced_app};
use tokio::net::{TcpListener, TcpSocket};

use crate::database::Database;
use crate::events::Events;
use crate::failure::Failure;
use crate::payments::Payments;
use crate::picking::Picking;

#[derive(clap::Args, Debug)]
pub(crate) struct Settings {
    /// Where to listen; several processes may share one address
    #[arg(long, env = "ORDERS_ADDRESS")]
    address: SocketAddr,
    #[arg(long, env = "DATABASE_URL")]
    database: String,
    #[arg(long, env = "PAYMENTS_URL")]
    payments: String,
    #[arg(long, env = "REDIS_URL")]
    redis: String,
    #[arg(long, env = "KAFKA_BROKERS")]
    kafka: String,
}

struct Orders {
    database: Database,
    payments: Payments,
    picking: Picking,
    events: Events,
}

#[derive(Serialize)]
struct Placed {
    order: i64,
    receipt: String,
    trace_id: String,
}

#[traced_app("orders", sample(0.1), keep(errors), baggage(tenant.id), logs)]
impl Orders {
    async fn setup(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            database: Database::open(&settings.database).await?,
            payments: Payments::new(&settings.payments)?,
            picking: Picking::open(&settings.redis).await?,
            events: Events::new(&settings.kafka)?,
        })
    }

    async fn place(&self, id: i64) -> Result<Placed, Failure> {
        let order = self.database.order(id).await?.ok_or(Failure::Unknown(id))?;
        self.reserve(&order.item, order.quantity).await?;
        let receipt = self.payments.charge(&order).await?;
        self.picking.send(vec![("order".to_owned(), id.to_string())]).await?;
        self.events.order_placed(id).await?;
        log::info!("order {id} is placed");
        Ok(Placed { order: id, receipt, trace_id: spandrel::current_trace_id().to_string() })
    }

    #[span("reserve", item = item, quantity = quantity)]
    async fn reserve(&self, item: &str, quantity: i64) -> Result<(), Failure> {
        if self.database.take(item, quantity).await? {
            Ok(())
        } else {
            Err(Failure::OutOfStock { item: item.to_owned(), quantity })
        }
    }
}

/// The span of the request is the layer's.
#[propagate(baggage(tenant.id = tenant(&headers)))]
#[span("checkout", error_if(Failure::is_ours))]
async fn checkout(
    State(orders): State<Arc<Orders>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Placed>), Failure> {
    Ok((StatusCode::ACCEPTED, Json(orders.place(id).await?)))
}

fn tenant(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-tenant")?.to_str().ok()
}

pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    let orders = Arc::new(Orders::setup(&settings).await?);
    let router = Router::new()
        .route("/orders/{id}/checkout", post(checkout))
        .layer(Layer::new())
        .with_state(orders.clone());
    let listener = listen(settings.address)?;
    println!("ready");
    axum::serve(listener, router).with_graceful_shutdown(shutdown_signal()).await?;
    orders.teardown();
    Ok(())
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}
