use spandrel::traced_app;

#[traced_app("shop", sample("GET /health"))]
fn main() {}

struct Orders;

#[traced_app("orders", sample(0.1, 0.2, "" = 1, "a" = 2, "a" = consistent(0.5), "b" = per_second(-1)))]
impl Orders {
    fn setup() -> Self {
        Self
    }
}

struct Payments;

#[traced_app("payments", sample(consistent(per_second(5))))]
impl Payments {
    fn setup() -> Self {
        Self
    }
}
