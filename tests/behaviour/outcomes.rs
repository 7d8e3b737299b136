//! How spans end: by the type of what the function returns, by a panic, by being dropped.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::recorder::record;
use spandrel::span;

#[derive(Debug, thiserror::Error)]
#[error("no stock of {item}")]
struct NoStock {
    item: &'static str,
    #[source]
    cause: std::num::ParseIntError,
}

fn no_stock() -> NoStock {
    NoStock { item: "pears", cause: "x".parse::<i32>().expect_err("not a number") }
}

type Aliased<T> = Result<T, NoStock>;

#[span("reserve")]
fn reserve(fails: bool) -> Aliased<u32> {
    if fails {
        return Err(no_stock());
    }
    Ok(1)
}

#[span("order")]
fn order(fails: bool) -> Aliased<u32> {
    let reserved = reserve(fails)?;
    Ok(reserved)
}

const NO_STOCK: &str =
    concat!("error.type=\"", module_path!(), "::NoStock\" ✗ no stock of pears\n");

#[test]
fn an_error_is_recorded_where_it_arose_and_marks_what_it_passes() {
    let tree = format!(
        "order {NO_STOCK}└─ reserve {NO_STOCK}     • exception \
         exception.type=\"{}::NoStock\" \
         exception.message=\"no stock of pears\" \
         exception.stacktrace=\"no stock of pears\\ncaused by: invalid digit found in string\"\n",
        module_path!()
    );
    assert_eq!(record(|| order(true)).to_string(), tree);
}

#[test]
fn an_ok_leaves_the_status_unset() {
    let recording = record(|| order(false));
    assert_eq!(recording.to_string(), "order\n└─ reserve\n");
}

#[span("retry")]
fn retry() -> Aliased<u32> {
    let _ = reserve(true);
    reserve(true)
}

#[test]
fn the_same_error_twice_is_two_events() {
    let tree = record(retry).to_string();
    assert_eq!(tree.matches("• exception").count(), 2, "{tree}");
}

#[span("wrap")]
fn wrap() -> anyhow::Result<u32> {
    use anyhow::Context as _;
    order(true).context("cannot order")
}

#[test]
fn a_wrapped_error_is_the_same_error() {
    let tree = record(wrap).to_string();
    assert!(
        tree.starts_with(
            "wrap error.type=\"core::num::error::ParseIntError\" ✗ cannot order\n└─ order"
        ),
        "{tree}"
    );
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
}

struct Silent;
#[derive(Debug)]
struct Debugged;
struct Displayed;

impl fmt::Display for Displayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("displayed")
    }
}

#[span]
fn silent() -> Result<(), Silent> {
    Err(Silent)
}
#[span]
fn debugged() -> Result<(), Debugged> {
    Err(Debugged)
}
#[span]
fn displayed() -> Result<(), Displayed> {
    Err(Displayed)
}
#[span]
fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
    Err("boxed".into())
}
#[span]
fn boxed_type() -> Result<(), Box<NoStock>> {
    Err(Box::new(no_stock()))
}
#[span]
fn dynamic() -> anyhow::Result<()> {
    anyhow::bail!("dynamic")
}

#[span]
fn held(good: bool) -> Result<(), Box<dyn Error>> {
    if good { Err(std::io::Error::other("full").into()) } else { Err(Box::new(no_stock())) }
}

#[span]
fn wrapped() -> anyhow::Result<u32> {
    use anyhow::Context as _;
    let file = std::fs::read_to_string("no such file").context("no configuration")?;
    Ok(file.parse()?)
}

fn error_type(body: impl FnOnce()) -> String {
    let recording = record(body);
    let span = recording.spans().first().expect("a span");
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == "error.type");
    found.expect("it failed").value.to_string()
}

/// `dyn Error` has no name: the type is the innermost one of the chain that is known.
#[test]
fn errors_behind_pointers_have_types() {
    assert_eq!(error_type(|| drop(boxed())), "_OTHER");
    assert_eq!(error_type(|| drop(held(true))), "std::io::error::Error");
    assert_eq!(error_type(|| drop(held(false))), "core::num::error::ParseIntError");
    assert_eq!(error_type(|| drop(boxed_type())), concat!(module_path!(), "::NoStock"));
    assert_eq!(error_type(|| drop(wrapped())), "std::io::error::Error");
    assert_eq!(error_type(|| drop(dynamic())), "anyhow::Error");
    let handled = |error: &dyn Fn()| error_type(|| leaf_with(error));
    let boxed: Box<dyn Error + Send + Sync> = "text".into();
    assert_eq!(handled(&|| spandrel::current().error(&*boxed)), "_OTHER");
    let error = anyhow::Error::new(std::fmt::Error).context("written");
    assert_eq!(handled(&|| spandrel::current().error(&*error)), "core::fmt::Error");
    let no_stock = no_stock();
    assert!(handled(&|| spandrel::current().error(&no_stock)).ends_with("::NoStock"));
}

#[span]
fn leaf_with(body: &dyn Fn()) {
    body();
}

fn status(body: impl FnOnce()) -> String {
    let recording = record(body);
    let tree = recording.to_string();
    let line = tree.lines().next().expect("one span");
    line.split_once('✗').expect("a failure").1.trim().to_owned()
}

#[test]
fn an_error_needs_no_trait() {
    assert_eq!(status(|| drop(silent())), concat!(module_path!(), "::Silent"));
    assert_eq!(status(|| drop(debugged())), "Debugged");
    assert_eq!(status(|| drop(displayed())), "displayed");
    assert_eq!(status(|| drop(boxed())), "boxed");
    assert_eq!(status(|| drop(boxed_type())), "no stock of pears");
    assert_eq!(status(|| drop(dynamic())), "dynamic");
}

#[span]
fn report() -> eyre::Result<()> {
    use eyre::WrapErr as _;
    Err(no_stock()).wrap_err("reported")
}

#[test]
fn reports_have_their_chains() {
    let tree = record(|| drop(report())).to_string();
    let chain = "exception.message=\"reported\" exception.stacktrace=\"reported\\ncaused by: no \
                 stock of pears\\ncaused by: invalid digit found in string\"\n";
    assert!(
        tree.starts_with("report error.type=\"core::num::error::ParseIntError\" ✗ reported\n"),
        "{tree}"
    );
    assert!(tree.ends_with(chain), "{tree}");
}

#[span]
fn generic<T, E: fmt::Display>(value: Result<T, E>) -> Result<T, E> {
    value
}

#[span]
fn not_a_result() -> Option<u32> {
    None
}

#[test]
fn generic_errors_record_what_their_bounds_offer() {
    assert_eq!(status(|| drop(generic::<(), _>(Err("bound".to_owned())))), "bound");
    assert_eq!(record(not_a_result).to_string(), "not_a_result\n");
}

#[span("inner")]
fn inner(fails: bool) {
    assert!(!fails, "out of {}", "luck");
}

#[span("outer")]
fn outer(fails: bool) {
    inner(fails);
}

#[test]
fn a_panic_is_one_event_with_its_place() {
    let recording = record(|| catch_unwind(|| outer(true)).expect_err("panics"));
    let line = "error.type=\"panic\" ✗ out of luck\n";
    let tree = recording.to_string();
    let (start, place) = tree.split_once(" code.line.number=").expect("a place");
    assert_eq!(
        start,
        format!(
            "outer {line}└─ inner {line}     • exception exception.type=\"panic\" \
             exception.message=\"out of luck\" code.file.path=\"{}\"",
            file!()
        )
    );
    assert!(place.trim().parse::<u32>().is_ok(), "{place}");
}

struct SpanOnDrop;

impl Drop for SpanOnDrop {
    fn drop(&mut self) {
        inner(false);
    }
}

#[test]
fn a_span_that_ends_while_another_panic_unwinds_is_not_marked() {
    let recording = record(|| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _cleanup = SpanOnDrop;
            panic!("elsewhere");
        }));
        caught.expect_err("panics");
    });
    assert_eq!(recording.to_string(), "inner\n");
}

#[span("resumed")]
fn resumed() {
    std::panic::resume_unwind(Box::new("from elsewhere"));
}

#[span("again")]
fn again() {
    catch_unwind(|| inner(true)).expect_err("panics");
    catch_unwind(resumed).expect_err("panics");
    resumed();
}

#[test]
fn each_panic_is_recorded_with_its_own_message() {
    let recording = record(|| catch_unwind(again).expect_err("panics"));
    let tree = recording.to_string();
    let statuses: Vec<&str> =
        tree.lines().filter_map(|line| line.split_once('✗')).map(|(_, why)| why.trim()).collect();
    let resumed = "from elsewhere";
    assert_eq!(statuses, [resumed, "out of luck", resumed, resumed], "{tree}");
    assert_eq!(tree.matches("• exception").count(), 3, "{tree}");
}

struct CatchesOnDrop;

impl Drop for CatchesOnDrop {
    fn drop(&mut self) {
        catch_unwind(|| inner(true)).expect_err("panics");
    }
}

#[span("first")]
fn first() {
    let _cleanup = CatchesOnDrop;
    panic!("first");
}

#[test]
fn a_panic_inside_a_drop_is_not_the_one_that_unwinds() {
    let recording = record(|| catch_unwind(first).expect_err("panics"));
    let tree = recording.to_string();
    assert!(tree.starts_with("first error.type=\"panic\" ✗ first\n"), "{tree}");
    assert!(tree.contains("└─ inner error.type=\"panic\" ✗ out of luck\n"), "{tree}");
}

#[test]
fn nested_recordings_know_nothing_of_each_other() {
    let mut within = String::new();
    let recording = record(|| {
        let _ = reserve(true);
        within = record(|| drop(order(true))).to_string();
        reserve(true)
    });
    assert!(within.starts_with("order "), "{within}");
    assert_eq!(within.matches("• exception").count(), 1, "{within}");
    assert_eq!(recording.to_string().matches("• exception").count(), 2, "{recording}");
}

#[test]
fn a_failure_can_be_told_by_hand() {
    use spandrel::{Callsite, Outcome, SpanKind};

    static PARSE: Callsite = Callsite::new("parse", SpanKind::Internal, "tests", None);
    let recording = record(|| PARSE.start(|_| ()).run(|| "x".parse::<u8>(), Outcome::of));
    let line =
        "parse error.type=\"core::num::error::ParseIntError\" ✗ invalid digit found in string\n";
    assert!(recording.to_string().starts_with(line), "{recording}");
}
