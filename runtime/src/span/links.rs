//! What the option `links` of `#[span]` takes.

use crate::context::ToContext;
use crate::span::Start;

/// A list of what names spans, with a compile error of its own for one span, and for what names none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of spans to link to",
    label = "not a list of spans' contexts",
    note = "for one span, write `links([context])`",
    note = "a list holds what is `spandrel::ToContext`: a `Context`, a `SpanContext`, a `TraceContext` \
            or `spandrel::current()`",
    note = "types of another version of `opentelemetry` are other types: `cargo tree --duplicates` \
            shows whether there are two"
)]
pub trait Links {
    /// The list.
    fn list(self) -> impl IntoIterator<Item: ToContext>;
}

#[diagnostic::do_not_recommend]
impl<L: IntoIterator<Item: ToContext>> Links for L {
    fn list(self) -> impl IntoIterator<Item: ToContext> {
        self
    }
}

impl Start {
    /// As [`Start::links`], for `#[span]`.
    #[doc(hidden)]
    pub fn spandrel_links(self, links: impl Links) -> Self {
        self.links(links.list())
    }
}
