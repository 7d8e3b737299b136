//! Spans that say where they are in the source. `sdk` records by OpenTelemetry's SDK.

use spandrel::{Callsite, Config, Outcome, SpanKind, install, span, traced_app};
use spandrel_tests::Silent;

fn main() {
    if std::env::args().nth(1).is_some_and(|how| how == "sdk") {
        let _app = install(Config::new("located").code().processor(Silent));
        run();
    } else {
        let app = App::setup();
        run();
        app.teardown();
    }
}

struct App;

#[traced_app("located", code)]
impl App {
    fn setup() -> Self {
        Self
    }
}

fn run() {
    function();
    function();
    futures::executor::block_on(asynchronous());
    let store = Store;
    store.method();
    store.alone();
    store.of_trait();
    generic::<u8>();
    named_by_a_constant::<u8>();
    by_hand();
    computed("computed");
}

#[span(name(name))]
fn computed(name: &str) {}

fn by_hand() {
    BY_HAND.start(|_| ()).run(|| (), Outcome::unset);
}

#[span]
fn function() {
    #[span("block")]
    {
        std::hint::black_box(());
    }
}

#[span(
    "asynchronous",
    code.line.number = 7,
    kind(internal)
)]
async fn asynchronous() {
    let inner = async {
        #[span("inner block")]
        {
            std::hint::black_box(());
        }
    };
    inner.await;
}

struct Store;

#[span]
impl Store {
    fn method(&self) {}
}

impl Store {
    #[span("alone")]
    fn alone(&self) {}
}

trait OfTrait {
    fn of_trait(&self);
}

impl OfTrait for Store {
    #[span("of_trait")]
    fn of_trait(&self) {}
}

#[span]
fn generic<T>() {}

const NAME: &str = "constant";

#[span(NAME)]
fn named_by_a_constant<T>() {}

static BY_HAND: Callsite =
    Callsite::new("by hand", SpanKind::Internal, "located", None).at(file!(), 12345);
