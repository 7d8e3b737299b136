//! A recorder of our own, so far as it takes to say what one would cost.

pub(crate) mod clock;
pub(crate) mod current;
pub(crate) mod dressed;
pub(crate) mod export;
pub(crate) mod fields;
pub(crate) mod ids;
pub(crate) mod local;
pub(crate) mod span;
pub(crate) mod steps;
mod wire;
