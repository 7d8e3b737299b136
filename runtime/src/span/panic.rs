//! Panics on spans: the status on every span that one unwinds, the event on the innermost.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::Once;

use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

const TYPE: &str = "panic";

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

struct Panic {
    message: String,
    place: Option<(String, u32)>,
    recorded: bool,
}

/// Remembers each panic's message and place, then calls the hook that was there before.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let panic = Panic::from(info);
            let _ = LAST.try_with(|last| last.replace(Some(panic)));
            previous(info);
        }));
    });
}

/// Records the panic that is unwinding this thread on the span of this context.
pub(super) fn record(context: &Context) {
    let span = context.span();
    let message = LAST.try_with(|last| {
        let mut last = last.borrow_mut();
        let panic = last.as_mut()?;
        if !std::mem::replace(&mut panic.recorded, true) {
            span.add_event("exception", panic.event());
        }
        Some(panic.message.clone())
    });
    let message = message.ok().flatten().unwrap_or_else(|| TYPE.to_owned());
    span.set_attribute(KeyValue::new("error.type", TYPE));
    span.set_status(Status::error(message));
}

impl Panic {
    fn event(&self) -> Vec<KeyValue> {
        let mut attributes = vec![
            KeyValue::new("exception.type", TYPE),
            KeyValue::new("exception.message", self.message.clone()),
        ];
        if let Some((file, line)) = &self.place {
            attributes.push(KeyValue::new("code.file.path", file.clone()));
            attributes.push(KeyValue::new("code.line.number", i64::from(*line)));
        }
        attributes
    }
}

impl From<&PanicHookInfo<'_>> for Panic {
    fn from(info: &PanicHookInfo<'_>) -> Self {
        Self {
            message: message(info).unwrap_or(TYPE).to_owned(),
            place: info.location().map(|place| (place.file().to_owned(), place.line())),
            recorded: false,
        }
    }
}

/// What `panic!` was given: a literal, or something formatted.
fn message<'a>(info: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    let payload = info.payload();
    let literal = payload.downcast_ref::<&'static str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
