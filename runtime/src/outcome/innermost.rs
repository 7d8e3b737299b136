//! The types of errors that are held behind `dyn Error`, which has no name of its own.

use std::any::type_name;
use std::error::Error;

/// The `error.type` of an error whose type is not known, as the semantic conventions say.
pub(crate) const OTHER: &str = "_OTHER";

/// The type of the innermost error of this chain whose type is one of a fixed list.
pub(crate) fn innermost_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    std::iter::successors(Some(error), |&error| error.source()).filter_map(known_type).last()
}

/// The name of a type without the pointers to it: that of `MyError` for `Box<MyError>` and `&MyError`.
pub(crate) fn behind_pointers(mut name: &'static str) -> &'static str {
    const POINTERS: [&str; 3] = ["alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<"];

    let inside = |name: &'static str| {
        let borrowed = name.strip_prefix("&mut ").or_else(|| name.strip_prefix('&'));
        // Texts are errors of their own.
        if let Some(borrowed) = borrowed.filter(|borrowed| *borrowed != "str") {
            return Some(borrowed);
        }
        let rest = POINTERS.iter().find_map(|pointer| name.strip_prefix(pointer));
        rest?.strip_suffix('>')
    };
    while let Some(inner) = inside(name) {
        name = inner;
    }
    name
}

macro_rules! known {
    ($error:ident: $($(#[$meta:meta])* $ty:ty,)*) => {
        $(
            $(#[$meta])*
            if $error.is::<$ty>() {
                return Some(type_name::<$ty>());
            }
        )*
    };
}

fn known_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    known! {
        error:
        std::io::Error,
        std::fmt::Error,
        std::num::ParseIntError,
        std::num::ParseFloatError,
        std::num::TryFromIntError,
        std::str::Utf8Error,
        std::str::ParseBoolError,
        std::string::FromUtf8Error,
        std::char::ParseCharError,
        std::net::AddrParseError,
        std::env::VarError,
        std::time::SystemTimeError,
        std::sync::mpsc::RecvError,
        std::sync::mpsc::RecvTimeoutError,
        #[cfg(feature = "app")]
        serde_json::Error,
        #[cfg(feature = "app")]
        tokio::task::JoinError,
        #[cfg(feature = "app")]
        tokio::time::error::Elapsed,
        #[cfg(feature = "http")]
        http::Error,
        #[cfg(feature = "reqwest")]
        reqwest::Error,
        #[cfg(feature = "tonic")]
        tonic::Status,
        #[cfg(feature = "rdkafka")]
        rdkafka::error::KafkaError,
        #[cfg(feature = "lapin")]
        lapin::Error,
        #[cfg(feature = "redis")]
        redis::RedisError,
        #[cfg(feature = "url")]
        url::ParseError,
        #[cfg(feature = "uuid")]
        uuid::Error,
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Error;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn pointers_to_an_error_do_not_change_its_type() {
        let cases = [
            type_name::<Error>(),
            type_name::<&Error>(),
            type_name::<&mut Error>(),
            type_name::<Box<Error>>(),
            type_name::<&Box<Arc<Error>>>(),
            type_name::<Arc<&mut Error>>(),
        ];
        for case in cases {
            assert_eq!(behind_pointers(case), type_name::<Error>(), "{case}");
        }
        for text in ["&str", "alloc::string::String"] {
            assert_eq!(behind_pointers(text), text);
        }
    }
}
