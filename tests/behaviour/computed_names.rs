//! `name(…)`: names that are computed when the span starts.

use std::sync::atomic::{AtomicUsize, Ordering};

use spandrel::span;

use crate::recorder::{record, record_async};

#[span(name(format!("{method} {route}")), kind(server), "http.route" = route)]
fn handle(method: &str, route: &'static str) -> Result<(), String> {
    if method == "DELETE" { Err("not allowed".to_owned()) } else { Ok(()) }
}

#[span(name(&queue))]
async fn work(queue: String) -> String {
    queue
}

struct Store(&'static str);

#[span(name(self.0))]
impl Store {
    fn load(&self) {
        #[span(name(format!("{}-block", self.0)))]
        {
            spandrel::current().set("inside", true);
        }
        #[span(name(self.0.to_uppercase()))]
        {
            spandrel::current().set("inside", 2);
        }
    }
}

#[test]
fn names_are_computed() {
    let text = record(|| drop((handle("GET", "/"), handle("DELETE", "/")))).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "GET / [server] http.route=\"/\"");
    assert!(lines[1].starts_with("DELETE / [server] http.route=\"/\" error.type="), "{text}");
}

#[tokio::test]
async fn names_of_futures_are_computed() {
    let text = record_async(work("orders".to_owned())).await.to_string();
    assert_eq!(text, "orders\n");
}

#[test]
fn names_of_methods_and_blocks_are_computed() {
    let text = record(|| Store("disk").load()).to_string();
    assert_eq!(text, "disk\n├─ disk-block inside=true\n└─ DISK inside=2\n");
}

#[span(name(String::from("computed")))]
fn renames() {
    spandrel::current().rename("renamed");
}

#[span("static", kind(client))]
fn blank() {
    spandrel::current().rename(" ");
}

#[span(name(String::from(" ")))]
fn blank_from_the_start() {}

#[test]
fn a_blank_name_changes_nothing() {
    assert_eq!(record(blank).to_string(), "static [client]\n");
    assert_eq!(record(blank_from_the_start).to_string(), "blank_from_the_start\n");
}

#[test]
fn a_computed_name_can_be_changed() {
    assert_eq!(record(renames).to_string(), "renamed\n");
}

#[test]
fn a_name_is_computed_once_and_only_if_it_is_recorded() {
    static COMPUTED: AtomicUsize = AtomicUsize::new(0);

    #[span(name(compute()))]
    fn named() {}

    fn compute() -> &'static str {
        COMPUTED.fetch_add(1, Ordering::Relaxed);
        "computed"
    }

    named();
    assert_eq!(COMPUTED.load(Ordering::Relaxed), 0);
    assert_eq!(record(named).to_string(), "computed\n");
    assert_eq!(COMPUTED.load(Ordering::Relaxed), 1);
}
