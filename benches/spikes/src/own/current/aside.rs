//! A stack of our own beside OpenTelemetry's: nobody else sees the span.

use std::cell::Cell;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt};

use super::{Current, current_parent, now};
use crate::own::clock::Clock;
use crate::own::fields::Fields;
use crate::own::span::{Data, End, Parent};

#[derive(Debug)]
pub(crate) struct Aside;

/// Our innermost span, and the one that the context named when it started.
#[derive(Clone, Copy)]
struct Innermost {
    parent: Parent,
    outside: SpanId,
}

thread_local!(static INNERMOST: Cell<Option<Innermost>> = const { Cell::new(None) });

impl<C: Clock, F: Fields, E: End> Current<C, F, E> for Aside {
    type Held = Data<C, F>;

    /// Ours, unless another one has become current in it.
    #[inline]
    fn parent() -> Parent {
        match INNERMOST.get() {
            Some(innermost) if innermost.outside == outside() => innermost.parent,
            _ => current_parent(),
        }
    }

    #[inline]
    fn hold(data: Data<C, F>) -> Data<C, F> {
        data
    }

    #[inline]
    fn within<T>(data: &Data<C, F>, body: impl FnOnce() -> T) -> T {
        let parent = Parent { trace: data.trace, id: data.id, is_remote: false };
        let before = INNERMOST.replace(Some(Innermost { parent, outside: outside() }));
        let _restore = Restore(before);
        body()
    }

    #[inline]
    fn end(data: Data<C, F>) {
        E::end(data, now::<C>());
    }

    #[inline]
    fn run<T>(data: Data<C, F>, body: impl FnOnce() -> T) -> T {
        let value = <Self as Current<C, F, E>>::within(&data, body);
        E::end(data, now::<C>());
        value
    }
}

fn outside() -> SpanId {
    Context::map_current(|context| context.span().span_context().span_id())
}

struct Restore(Option<Innermost>);

impl Drop for Restore {
    fn drop(&mut self) {
        INNERMOST.set(self.0);
    }
}
