//! A span and a flush for each line that it reads. Each request has a token of its own, unless the argument says what goes
//! wrong with it.

use std::io::stdin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use spandrel::{span, traced_app};

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Makes the first call go wrong, or all of them.
fn headers() -> Result<Vec<(String, String)>, String> {
    let call = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let _ = work(0);
    let name = std::env::args().nth(1).unwrap_or_default();
    let (how, is_due) = match name.strip_prefix("always-") {
        Some(how) => (how, true),
        None => (&*name, call == 1),
    };
    match how {
        "fails" if is_due => return Err("no token\nfor you".to_owned()),
        "panics" if is_due => panic!("the token broke"),
        "hangs" if is_due => thread::sleep(Duration::from_secs(2)),
        "names" if is_due => return Ok(vec![("not a name".to_owned(), "secret".to_owned())]),
        "values" if is_due => return Ok(vec![("authorization".to_owned(), "sec\nret".to_owned())]),
        "flushes" => assert!(spandrel::flush(Duration::from_secs(5)).timed_out),
        _ => {}
    }
    Ok(vec![("Authorization".to_owned(), format!("Bearer {call}"))])
}

#[traced_app("renews", flush("1s"), headers(headers))]
fn main() {
    let always = std::env::args().any(|how| how.starts_with("always-"));
    let timeout = Duration::from_millis(if always { 200 } else { 5000 });
    for (number, line) in stdin().lines().enumerate() {
        if line.is_ok() {
            let _ = work(number + 1);
            println!("{}", spandrel::flush(timeout));
        }
    }
}

#[span("work", number = number)]
fn work(number: usize) -> Result<(), String> {
    Ok(())
}
