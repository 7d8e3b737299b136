//! Panics as failures: the message from the payload, the place from the panic hook.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::encoding::ValueRef;
use crate::outcome::{PANIC, panic_message};

thread_local! {
    /// The latest panic of this thread.
    static LATEST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// A panic that passes a span.
#[derive(Clone, Debug)]
pub(super) struct Panic {
    pub(super) message: String,
    place: Option<(String, u32)>,
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
            let _ = LATEST.try_with(|latest| latest.replace(Some(panic)));
            previous(info);
        }));
    });
}

pub(super) type Payload = Box<dyn Any + Send>;

/// What the program's code comes to, or its panic.
pub(super) fn caught<T>(body: impl FnOnce() -> T) -> Result<T, Payload> {
    catch_unwind(AssertUnwindSafe(body))
}

/// What a device's code comes to, unless it panics: that is told by the panic hook, and is not the
/// program's failure, nor in the place of one.
pub(super) fn contained<T>(body: impl FnOnce() -> T) -> Option<T> {
    let latest = LATEST.try_with(RefCell::take).ok().flatten();
    let value = match caught(body) {
        Ok(value) => Some(value),
        Err(payload) => {
            // It may panic when it is dropped, and so on.
            if let Err(another) = caught(|| drop(payload)) {
                std::mem::forget(another);
            }
            None
        }
    };
    let _ = LATEST.try_with(|place| place.replace(latest));
    value
}

impl Panic {
    /// The panic with this payload. It has a place when it is the one that the hook saw last: not
    /// when it was resumed, or the program has a hook of its own.
    pub(super) fn caught(payload: &(dyn Any + Send)) -> Self {
        let message = panic_message(payload).to_owned();
        let latest = Self::latest().filter(|latest| latest.message == message);
        latest.unwrap_or(Self { message, place: None })
    }

    /// The panic that is unwinding this thread, as far as that can be known without its payload.
    pub(super) fn unwinding() -> Self {
        Self::latest().unwrap_or_else(|| Self { message: PANIC.to_owned(), place: None })
    }

    fn latest() -> Option<Self> {
        LATEST.try_with(|latest| latest.borrow().clone()).ok().flatten()
    }

    /// The attributes of its event.
    pub(super) fn attributes(&self) -> Vec<(&'static str, ValueRef<'_>)> {
        let mut attributes = vec![
            ("exception.type", ValueRef::Text(PANIC)),
            ("exception.message", ValueRef::Text(&self.message)),
        ];
        if let Some((file, line)) = &self.place {
            attributes.push(("code.file.path", ValueRef::Text(file)));
            attributes.push(("code.line.number", ValueRef::I64((*line).into())));
        }
        attributes
    }
}

impl From<&PanicHookInfo<'_>> for Panic {
    fn from(info: &PanicHookInfo<'_>) -> Self {
        Self {
            message: panic_message(info.payload()).to_owned(),
            place: info.location().map(|place| (place.file().to_owned(), place.line())),
        }
    }
}
