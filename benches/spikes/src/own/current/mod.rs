//! How a span is current, and who sees it.

mod aside;
mod in_context;
mod named;
mod slot;

pub(crate) use aside::Aside;
pub(crate) use in_context::{InContext, OwnSpan, UntilDropped};
pub(crate) use named::Named;
pub(crate) use slot::{NamedSlot, Slot};

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use super::clock::Clock;
use super::span::{Data, Parent};

pub(crate) trait Current<C: Clock, F, E>: 'static {
    type Held;

    #[inline]
    fn parent() -> Parent {
        current_parent()
    }

    fn hold(data: Data<C, F>) -> Self::Held;

    /// Current while the body runs.
    fn within<T>(held: &Self::Held, body: impl FnOnce() -> T) -> T;

    fn end(held: Self::Held);

    /// Current while the body runs, and ended by it.
    fn run<T>(held: Self::Held, body: impl FnOnce() -> T) -> T;
}

#[inline]
fn current_parent() -> Parent {
    Context::map_current(|context| Parent::of(context.span().span_context()))
}

/// The nanoseconds since 1970 by this clock.
#[inline]
fn now<C: Clock>() -> u64 {
    C::nanos(C::now())
}
