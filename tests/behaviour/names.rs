//! Items by any name live beside an expansion.

// What users may write, tidy or not.
#![allow(
    non_upper_case_globals,
    clippy::enum_glob_use,
    clippy::items_after_statements,
    clippy::unused_async,
    dead_code
)]

use futures::FutureExt;
use futures::executor::block_on;
use spandrel::span;

use crate::recorder::{record, record_async};

static span: u8 = 1;
static body: u8 = 1;
static block: u8 = 1;
static frame: u8 = 1;
static entry: u8 = 1;
static start: u8 = 1;
static success: u8 = 1;
const value: u8 = 2;
const attributes: u8 = 2;
const CALLSITE: u8 = 2;
const error: u8 = 2;

#[derive(Debug, PartialEq)]
enum Probe {
    Observed,
    Outcome,
}

type Meal = u8;

enum Menu {
    Meal,
    Result,
    String,
}

#[span(a = span, ok(|n| n = *n, b = value), error_if(|_| value == 2))]
fn total() -> Result<u8, std::string::String> {
    #[span("block", c = attributes)]
    let sum = Ok::<u8, std::string::String>(span + block + CALLSITE)?;
    let closure = || {
        #[span("closure")]
        let one = check(&Probe::Outcome)?;
        Ok(one)
    };
    Ok(sum + closure().map_err(|Unlucky| std::string::String::new())?)
}

struct Unlucky;

#[span(error_if(|_| *probe != Probe::Outcome), ret)]
fn check(probe: &Probe) -> Result<u8, Unlucky> {
    if *probe == Probe::Outcome { Ok(value) } else { Err(Unlucky) }
}

#[span]
async fn order() -> Meal {
    use Menu::*;
    let _ = Result;
    1
}

#[span]
fn order_now() -> Meal {
    use Menu::*;
    struct Vec;
    let _ = (Result, Vec);
    #[span("served")]
    {
        return 1;
    }
}

#[span(size = size())]
fn sized() -> usize {
    fn size() -> usize {
        1
    }
    size()
}

fn size() -> usize {
    2
}

#[span(spicy = __spandrel)]
async fn underscores(__spandrel: u8, _value: u8, __arg0: u8) -> u8 {
    __spandrel + __arg0
}

#[test]
fn no_item_clashes_with_an_expansion() {
    let recording = block_on(record_async(async {
        assert_eq!(total().ok(), Some(6));
        assert_eq!((order().await, order_now(), sized()), (1, 1, 1));
        assert_eq!(underscores(1, 2, 3).now_or_never(), Some(4));
    }));
    let tree = "total a=1 n=6 b=2\n├─ block c=2\n└─ closure\n   └─ check return=\"2\"\n\
                order\norder_now\n└─ served\nsized size=2\nunderscores spicy=1\n";
    assert_eq!(recording.to_string(), tree);
}

#[test]
fn an_attribute_with_a_path_needs_no_import() {
    mod elsewhere {
        #[spandrel::span]
        pub(super) fn load(deep: bool) -> u32 {
            #[span("read")]
            let read = 1;
            #[spandrel::span("more")]
            {
                read + u32::from(deep)
            }
        }
    }
    let recording = record(|| assert_eq!(elsewhere::load(true), 2));
    assert_eq!(recording.to_string(), "load\n├─ read\n└─ more\n");
}
