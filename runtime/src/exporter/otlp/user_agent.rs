//! Who sends.

/// Tells collectors who sends, as the protocol's specification asks: a distribution names itself in front.
pub(super) const USER_AGENT: &str = concat!(
    "spandrel/",
    env!("CARGO_PKG_VERSION"),
    " OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION")
);
