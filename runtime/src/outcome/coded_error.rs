//! Errors with a code of the system that they come from, which is their `error.type`.

use std::error::Error;

/// An error, or a value that holds one, with a code.
pub trait CodedError {
    /// The error.
    fn coded_error(&self) -> &(dyn Error + 'static);

    /// Its code; `None` if it has none.
    fn code(&self) -> Option<String>;
}

#[cfg(feature = "rdkafka")]
mod kafka {
    use rdkafka::error::KafkaError;
    use rdkafka::message::OwnedMessage;

    use super::{CodedError, Error};

    impl CodedError for KafkaError {
        fn coded_error(&self) -> &(dyn Error + 'static) {
            self
        }

        /// Kafka's name of the code, such as `UNKNOWN_TOPIC_OR_PARTITION`: that of the client, in Kafka's letters.
        fn code(&self) -> Option<String> {
            let name = format!("{:?}", self.rdkafka_error_code()?);
            let mut code = String::with_capacity(name.len() + 4);
            for (place, letter) in name.char_indices() {
                if place > 0 && letter.is_ascii_uppercase() {
                    code.push('_');
                }
                code.push(letter.to_ascii_uppercase());
            }
            Some(code)
        }
    }

    /// What `FutureProducer` gives back with a message that was not delivered. The message is not recorded.
    impl CodedError for (KafkaError, OwnedMessage) {
        fn coded_error(&self) -> &(dyn Error + 'static) {
            &self.0
        }

        fn code(&self) -> Option<String> {
            self.0.code()
        }
    }
}

#[cfg(feature = "redis")]
impl CodedError for redis::RedisError {
    fn coded_error(&self) -> &(dyn Error + 'static) {
        self
    }

    /// The first word of the server's answer, such as `BUSYGROUP`.
    fn code(&self) -> Option<String> {
        redis::RedisError::code(self).map(str::to_owned)
    }
}
