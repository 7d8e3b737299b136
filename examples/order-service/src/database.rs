//! The database, of either kind. Each statement is a span.

use spandrel::span;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, Row};

const ORDER: &str = "SELECT item, quantity, cents FROM orders WHERE id = $1";
const TAKE: &str =
    "UPDATE stock SET available = available - $1 WHERE item = $2 AND available >= $1";
const PACKED: &str = "UPDATE orders SET packed = TRUE WHERE id = $1";
const MAILED: &str = "UPDATE orders SET mailed = TRUE WHERE id = $1";

pub(crate) struct Database {
    pool: AnyPool,
    system: &'static str,
}

pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) item: String,
    pub(crate) quantity: i64,
    pub(crate) cents: i64,
}

impl Database {
    pub(crate) async fn open(url: &str) -> sqlx::Result<Self> {
        install_default_drivers();
        let system = if url.starts_with("sqlite:") { "sqlite" } else { "postgresql" };
        Ok(Self { pool: AnyPoolOptions::new().max_connections(4).connect(url).await?, system })
    }

    /// The tables, with the orders that there are to place.
    pub(crate) async fn fill(&self) -> sqlx::Result<()> {
        sqlx::raw_sql(include_str!("schema.sql")).execute(&self.pool).await?;
        Ok(())
    }

    #[span(
        "SELECT orders",
        kind(client),
        db.system.name = self.system,
        db.operation.name = "SELECT",
        db.collection.name = "orders",
        db.query.summary = "SELECT orders",
        db.query.text = ORDER
    )]
    pub(crate) async fn order(&self, id: i64) -> sqlx::Result<Option<Order>> {
        let row = sqlx::query(ORDER).bind(id).fetch_optional(&self.pool).await?;
        row.map(|row| {
            let (item, quantity, cents) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok(Order { id, item, quantity, cents })
        })
        .transpose()
    }

    /// Whether there were enough.
    #[span(
        "UPDATE stock",
        kind(client),
        db.system.name = self.system,
        db.operation.name = "UPDATE",
        db.collection.name = "stock",
        db.query.summary = "UPDATE stock",
        db.query.text = TAKE
    )]
    pub(crate) async fn take(&self, item: &str, quantity: i64) -> sqlx::Result<bool> {
        let done = sqlx::query(TAKE).bind(quantity).bind(item).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn packed(&self, id: i64) -> sqlx::Result<()> {
        self.mark(id, PACKED).await
    }

    pub(crate) async fn mailed(&self, id: i64) -> sqlx::Result<()> {
        self.mark(id, MAILED).await
    }

    #[span(
        "UPDATE orders",
        kind(client),
        db.system.name = self.system,
        db.operation.name = "UPDATE",
        db.collection.name = "orders",
        db.query.summary = "UPDATE orders",
        db.query.text = statement
    )]
    async fn mark(&self, id: i64, statement: &'static str) -> sqlx::Result<()> {
        sqlx::query(statement).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether an order has been packed and mailed.
    pub(crate) async fn is_done(&self, id: i64) -> sqlx::Result<bool> {
        let done = sqlx::query("SELECT id FROM orders WHERE id = $1 AND packed AND mailed");
        Ok(done.bind(id).fetch_optional(&self.pool).await?.is_some())
    }
}
