//! Whatever `sample` takes.

use spandrel::traced_app;

const RATE: f64 = 0.5;

#[traced_app("shop", sample(consistent(0.1), "GET /health" = 0, "checkout*" = 1, "a" = RATE, "b" = per_second(5)))]
fn main() {}

struct Limited;

#[traced_app("limited", sample(per_second(50), "server:GET *" = per_second(RATE)))]
impl Limited {
    fn setup() -> Self {
        Self
    }
}

struct Whole;

#[traced_app("whole", sample(1))]
impl Whole {
    fn setup() -> Self {
        Self
    }
}

struct OnlyRules;

#[traced_app("rules", sample("GET /health" = 0.0))]
impl OnlyRules {
    fn setup() -> Self {
        Self
    }
}
