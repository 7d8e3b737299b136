//! A context that knows the span's ids and no more: a parent for whatever starts in it.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use super::{Current, now};
use crate::own::clock::Clock;
use crate::own::fields::Fields;
use crate::own::span::{Data, End};

#[derive(Debug)]
pub(crate) struct Named;

impl<C: Clock, F: Fields, E: End> Current<C, F, E> for Named {
    type Held = (Context, Data<C, F>);

    #[inline]
    fn hold(data: Data<C, F>) -> Self::Held {
        let span = data.span_context();
        (Context::map_current(|context| context.with_remote_span_context(span)), data)
    }

    #[inline]
    fn within<T>((context, _): &Self::Held, body: impl FnOnce() -> T) -> T {
        let _attached = context.clone().attach();
        body()
    }

    #[inline]
    fn end((_, data): Self::Held) {
        E::end(data, now::<C>());
    }

    #[inline]
    fn run<T>((context, data): Self::Held, body: impl FnOnce() -> T) -> T {
        let attached = context.attach();
        let value = body();
        drop(attached);
        E::end(data, now::<C>());
        value
    }
}
