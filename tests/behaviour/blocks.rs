//! Spans on blocks, `let` initialisers and expressions: control flow and types stay what they are.

// What users may write, tidy or not.
#![allow(
    clippy::match_bool,
    clippy::never_loop,
    clippy::redundant_closure_for_method_calls,
    clippy::unit_arg
)]

use std::fmt::Display;
use std::panic::catch_unwind;

use crate::recorder::{record, record_async};
use spandrel::{TraceId, current_trace_id, propagate, span};

use crate::samples::{BAD, EVENT, check, child, later};

#[span("outer")]
fn initialisers(good: bool) -> Result<u32, String> {
    #[span("first", number = 1)]
    let first = {
        child();
        3
    };
    #[span("second")]
    let second: u64 = check(good)?.into();
    child();
    #[span("third")]
    let third = check(good)?;
    Ok(first + third + u32::try_from(second).unwrap_or_default())
}

#[test]
fn a_let_is_a_span_for_its_initialiser() {
    let recording = record(|| assert_eq!(initialisers(true), Ok(17)));
    let tree = "outer\n├─ first number=1\n│  └─ child\n├─ second\n├─ child\n└─ third\n";
    assert_eq!(recording.to_string(), tree);
}

#[test]
fn an_error_that_leaves_by_a_question_mark_marks_the_block_and_the_function() {
    let recording = record(|| drop(initialisers(false)));
    let tree =
        format!("outer {BAD}\n├─ first number=1\n│  └─ child\n└─ second {BAD}\n     {EVENT}");
    assert_eq!(recording.to_string(), tree);
}

#[span("outer")]
fn returns(number: u32) -> Result<u32, String> {
    #[span("block")]
    {
        if number == 0 {
            return Err("bad".to_owned());
        }
        if number == 1 {
            return Ok(number);
        }
        child();
    }
    #[span("unused")]
    check(true).map(drop).is_ok();
    child();
    Ok(2)
}

#[test]
fn a_return_leaves_a_block_with_the_function_s_outcome() {
    let recording = record(|| drop(returns(0)));
    assert_eq!(recording.to_string(), format!("outer {BAD}\n└─ block {BAD}\n     {EVENT}"));
    assert_eq!(record(|| drop(returns(1))).to_string(), "outer\n└─ block\n");
    let tree = "outer\n├─ block\n│  └─ child\n├─ unused\n└─ child\n";
    assert_eq!(record(|| drop(returns(2))).to_string(), tree);
}

#[span("outer")]
fn loops() -> Result<u32, String> {
    let mut sum = 0;
    'outer: for number in 0.. {
        #[span("iteration", number = number)]
        {
            if number == 1 {
                continue;
            }
            for nested in 0..3 {
                #[span("nested")]
                if nested == 1 {
                    continue 'outer;
                } else if number == 2 {
                    break 'outer;
                }
            }
        }
        sum += number;
    }
    #[span("labelled")]
    let found = 'found: {
        if sum == 0 {
            break 'found 5;
        }
        6
    };
    #[span("loop")]
    let last = loop {
        break found + 1;
    };
    check(last == 0)
}

#[test]
fn a_block_that_is_left_by_break_or_continue_did_not_fail() {
    let recording = record(|| assert_eq!(loops(), Err("bad".to_owned())));
    let tree = format!(
        "outer {BAD}\n│ {EVENT}\
         ├─ iteration number=0\n│  ├─ nested\n│  └─ nested\n\
         ├─ iteration number=1\n\
         ├─ iteration number=2\n│  └─ nested\n\
         ├─ labelled\n└─ loop\n"
    );
    assert_eq!(recording.to_string(), tree);
}

macro_rules! leave {
    (break) => {
        break
    };
    (bail) => {
        return Err("bad".to_owned())
    };
}

#[span("outer")]
fn hidden(bails: bool) -> Result<(), String> {
    loop {
        #[span("left")]
        {
            if bails {
                leave!(bail);
            }
            leave!(break);
        }
    }
    Err("later".to_owned())
}

#[test]
fn exits_that_macros_hide_are_exits_too() {
    let tree = record(|| drop(hidden(false))).to_string();
    assert!(tree.starts_with("outer error.type=\"alloc::string::String\" ✗ later\n"), "{tree}");
    assert!(tree.ends_with("└─ left\n"), "{tree}");
    let tree = record(|| drop(hidden(true))).to_string();
    assert_eq!(tree, format!("outer {BAD}\n└─ left {BAD}\n     {EVENT}"));
}

#[span("outer")]
fn values(good: bool) -> bool {
    #[span("value")]
    let result = check(good);
    #[span("ignored")]
    let _ = check(good);
    #[span("statement")]
    check(good).is_ok();
    result.is_ok()
}

#[test]
fn a_block_whose_value_is_an_error_failed() {
    let tree = "outer\n├─ value\n├─ ignored\n└─ statement\n";
    assert_eq!(record(|| values(true)).to_string(), tree);
    let tree =
        format!("outer\n├─ value {BAD}\n│    {EVENT}├─ ignored {BAD}\n│    {EVENT}└─ statement\n");
    assert_eq!(record(|| values(false)).to_string(), tree);
}

#[span("outer")]
fn tail(good: bool) -> Result<u64, Box<dyn std::error::Error>> {
    if good {
        #[span("yes")]
        check(good).map(u64::from).map_err(Into::into)
    } else {
        match good {
            true => Ok(3),
            false =>
            {
                #[span("no")]
                Err("bad".into())
            }
        }
    }
}

#[test]
fn a_tail_expression_is_the_function_s_value() {
    assert_eq!(record(|| drop(tail(true))).to_string(), "outer\n└─ yes\n");
    let tree = record(|| drop(tail(false))).to_string();
    assert_eq!(tree.matches("✗ bad").count(), 2, "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
}

struct Tree(Vec<u8>);

#[span("outer")]
fn types() -> usize {
    #[span("unsized")]
    let display: Box<dyn Display> = Box::new(5);
    #[span("closure")]
    let length: Box<dyn Fn(&str) -> usize> = Box::new(|text| text.len());
    #[span("extended")]
    let bytes: &[u8] = &Tree(vec![1, 2]).0;
    #[span("pattern")]
    let (one, Tree(two)) = (1, Tree(vec![2]));
    #[span("inferred")]
    let parsed = "3".parse().unwrap_or(0_u8);
    #[span("else")]
    let Some(three) = bytes.first().map(|byte| byte + parsed) else {
        return 0;
    };
    let mut sum = 0;
    #[span("assigned")]
    sum += one;
    #[span("again")]
    {
        sum += usize::from(three);
    }
    sum + length(&display.to_string()) + two.len()
}

#[test]
fn types_and_lifetimes_are_what_they_were() {
    let recording = record(|| assert_eq!(types(), 7));
    let tree = "outer\n├─ unsized\n├─ closure\n├─ extended\n├─ pattern\n├─ inferred\n├─ else\n\
                ├─ assigned\n└─ again\n";
    assert_eq!(recording.to_string(), tree);
}

#[span("outer")]
fn let_else(number: Option<u32>) -> Result<u32, String> {
    #[span("found")]
    let Some(number) = number.filter(|number| *number > 0) else {
        return check(false);
    };
    Ok(number)
}

#[test]
fn the_else_of_a_let_is_outside() {
    let tree = record(|| drop(let_else(None))).to_string();
    assert_eq!(tree, format!("outer {BAD}\n│ {EVENT}└─ found\n"));
}

#[span("outer")]
fn diverges(how: u32) -> u32 {
    #[span("never")]
    match how {
        0 => return 1,
        1 => panic!("exploded"),
        _ => unreachable!(),
    }
}

#[test]
fn a_block_may_never_come_to_a_value() {
    let recording = record(|| assert_eq!(diverges(0), 1));
    assert_eq!(recording.to_string(), "outer\n└─ never\n");
    let tree = record(|| catch_unwind(|| diverges(1)).expect_err("panics")).to_string();
    assert_eq!(tree.matches("✗ exploded").count(), 2, "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
}

#[span("outer")]
fn caught() {
    let caught = catch_unwind(|| {
        #[span("inside")]
        {
            panic!("inside");
        }
    });
    caught.expect_err("panics");
    #[span("resumed")]
    let resumed = catch_unwind(|| std::panic::resume_unwind(Box::new("other"))).is_err();
    assert!(resumed);
}

#[test]
fn a_panic_is_the_block_s_that_it_passed() {
    let tree = record(caught).to_string();
    assert!(tree.starts_with("outer\n├─ inside error.type=\"panic\" ✗ inside\n"), "{tree}");
    assert!(tree.ends_with("└─ resumed\n"), "{tree}");
}

#[span("outer")]
fn closures(numbers: &[u32]) -> Result<Vec<u32>, String> {
    let double = |number: u32| {
        #[span("doubled", number = number)]
        let number = check(number != 3)? + number;
        Ok::<u32, String>(number)
    };
    let plain = |number: &u32| -> u32 {
        #[span("plain")]
        number.wrapping_add(0)
    };
    let doubled = numbers.iter().map(plain).map(double).find(Result::is_err);
    assert!(doubled.is_none_or(|doubled| doubled.is_err()));
    numbers.iter().map(|number| double(*number)).collect()
}

#[test]
fn a_closure_is_left_by_its_own_question_mark() {
    let recording = record(|| assert_eq!(closures(&[1]), Ok(vec![8])));
    let tree = "outer\n├─ plain\n├─ doubled number=1\n└─ doubled number=1\n";
    assert_eq!(recording.to_string(), tree);
    let recording = record(|| drop(closures(&[3])));
    let tree = format!(
        "outer {BAD}\n├─ plain\n├─ doubled number=3 {BAD}\n│    {EVENT}\
         └─ doubled number=3 {BAD}\n     {EVENT}"
    );
    assert_eq!(recording.to_string(), tree);
}

#[span("outer")]
async fn waits(number: u32) -> Result<u32, String> {
    let before = current_trace_id();
    #[span("first")]
    let first = {
        later(child()).await;
        child();
        later(number).await
    };
    assert_eq!(current_trace_id(), before);
    for round in 0.. {
        #[span("round", round = round)]
        {
            later(()).await;
            if round == 1 {
                break;
            }
            #[span("nested")]
            later(check(first > 0)).await?;
            later(()).await;
            child();
        }
    }
    #[span("last")]
    later(check(first > 1)).await
}

#[tokio::test]
async fn a_block_spans_its_awaits() {
    let recording = record_async(async { assert_eq!(waits(2).await, Ok(7)) }).await;
    let tree = "outer\n├─ first\n│  ├─ child\n│  └─ child\n├─ round round=0\n│  ├─ nested\n\
                │  └─ child\n├─ round round=1\n└─ last\n";
    assert_eq!(recording.to_string(), tree);
}

#[tokio::test]
async fn an_error_leaves_an_awaiting_block_as_it_leaves_any() {
    let first = "├─ first\n│  ├─ child\n│  └─ child\n";
    let recording = record_async(async { drop(waits(0).await) }).await;
    let tree =
        format!("outer {BAD}\n{first}└─ round round=0 {BAD}\n   └─ nested {BAD}\n        {EVENT}");
    assert_eq!(recording.to_string(), tree);
    let recording = record_async(async { drop(waits(1).await) }).await;
    let tree = recording.to_string();
    assert!(tree.starts_with(&format!("outer {BAD}\n{first}├─ round")), "{tree}");
    assert!(tree.ends_with(&format!("└─ last {BAD}\n     {EVENT}")), "{tree}");
}

#[tokio::test]
async fn blocks_that_run_together_do_not_mix() {
    #[span("outer")]
    async fn together(limit: u32) -> Result<u32, String> {
        let half = async |name| {
            #[span("half", "name" = name)]
            {
                later(()).await;
                child();
                later(()).await;
                child();
            }
        };
        let block = async {
            #[span("block")]
            for _ in 0..limit {
                later(child()).await;
            }
        };
        tokio::join!(half("a"), half("b"), block);
        assert!(!spandrel::current().is_recording() || limit > 0);
        child();
        Ok(limit)
    }
    let recording = record_async(together(3)).await;
    let tree = recording.to_string();
    let half = |name| format!("├─ half name=\"{name}\"\n│  ├─ child\n│  └─ child\n");
    let block = "├─ block\n│  ├─ child\n│  ├─ child\n│  └─ child\n";
    assert_eq!(tree, format!("outer\n{}{}{block}└─ child\n", half("a"), half("b")));
}

#[span("outer")]
async fn stuck() {
    #[span("waiting")]
    {
        #[span("deeper")]
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn blocks_of_a_future_that_is_dropped_are_cancelled() {
    let recording = record_async(async {
        let limit = std::time::Duration::from_millis(1);
        tokio::time::timeout(limit, stuck()).await.expect_err("it waits forever");
        assert_eq!(current_trace_id(), TraceId::INVALID);
    })
    .await;
    let cancelled = "spandrel.cancelled=true\n";
    let tree = format!("outer {cancelled}└─ waiting {cancelled}   └─ deeper {cancelled}");
    assert_eq!(recording.to_string(), tree);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_moves_with_its_task() {
    use spandrel::InCurrentTrace;

    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let recording = record_async(async {
        let tasks: Vec<_> =
            (0..20).map(|_| tokio::spawn(is_send(waits(2)).in_current_trace())).collect();
        for task in tasks {
            assert_eq!(task.await.expect("it does not panic"), Ok(7));
        }
    })
    .await;
    let tree = recording.to_string();
    assert_eq!(tree.matches("\n├─ round round=1\n└─ last\n").count(), 20, "{tree}");
    assert_eq!(tree.matches("│  └─ child\n").count(), 40, "{tree}");
}

#[propagate(headers)]
fn continued(headers: &std::collections::HashMap<String, String>) -> Result<u32, String> {
    #[span("block")]
    let value = check(headers.is_empty())?;
    Ok(value)
}

#[test]
fn a_function_need_not_be_a_span_itself() {
    assert_eq!(record(|| drop(continued(&[].into()))).to_string(), "block\n");
    let headers = [("other".to_owned(), String::new())].into();
    let tree = record(|| drop(continued(&headers))).to_string();
    assert_eq!(tree, format!("block {BAD}\n  {EVENT}"));
}

#[span("outer")]
fn options(number: u32) -> Result<u32, String> {
    #[span("recorded", kind(client), ok(|value| value = value))]
    let value = check(number > 0)?;
    #[span("result", ok(|value| value = value), ret)]
    let result = check(number > 1);
    #[span("expected", error_if(|error| error != "bad"))]
    let again = check(number > 2)?;
    Ok(value + result.unwrap_or_default() + again)
}

#[test]
fn blocks_take_the_options_of_functions() {
    let first = "├─ recorded [client] value=7\n";
    let result = "├─ result value=7 return=\"7\"\n";
    let tree = record(|| drop(options(3))).to_string();
    assert_eq!(tree, format!("outer\n{first}{result}└─ expected\n"));
    let tree = record(|| drop(options(2))).to_string();
    assert_eq!(tree, format!("outer {BAD}\n│ {EVENT}{first}{result}└─ expected\n"));
    let tree = record(|| drop(options(1))).to_string();
    assert!(tree.contains(&format!("├─ result {BAD}\n")), "{tree}");
    let tree = record(|| drop(options(0))).to_string();
    assert!(tree.ends_with(&format!("└─ recorded [client] {BAD}\n     {EVENT}")), "{tree}");
}

#[test]
fn without_a_recorder_blocks_are_nothing() {
    assert_eq!(initialisers(true), Ok(17));
    assert_eq!(loops(), Err("bad".to_owned()));
    assert_eq!(types(), 7);
    assert_eq!(closures(&[1, 2]), Ok(vec![8, 9]));
}
