#![allow(unused_variables)]

use std::collections::HashMap;

use spandrel::{propagate, span};

#[propagate(link(headers), baggage(tenant.id, region = "eu"))]
fn no_span(headers: &HashMap<String, String>) {}

#[span]
#[propagate(link(header), baggage(tenant.id = 1, tenant.id = 2))]
fn mistaken(headers: &HashMap<String, String>) {}

#[span]
#[propagate(link, baggage(tenant.id => 1))]
fn malformed(headers: &HashMap<String, String>) {}

#[span]
#[propagate(baggage(tenant.id = headers))]
fn no_text(headers: &HashMap<String, String>) {}

#[span]
#[propagate(baggage("a b" = 1, "ä"))]
fn no_token(headers: &HashMap<String, String>) {}

fn main() {}
