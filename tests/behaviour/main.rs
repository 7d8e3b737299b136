//! What the attributes do, asserted as trees of text.

mod attributes;
mod functions;
mod futures;
mod outcomes;
mod propagation;
