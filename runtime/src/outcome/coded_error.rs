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

        /// The name that `rdkafka` gives the code, in capitals, such as `UNKNOWN_TOPIC_OR_PARTITION`. For some codes Kafka's own
        /// name is another one: `MESSAGE_TOO_LARGE` is `MESSAGE_SIZE_TOO_LARGE` here.
        fn code(&self) -> Option<String> {
            Some(in_capitals(&format!("{:?}", self.rdkafka_error_code()?)))
        }
    }

    /// `ILLEGAL_SASL_STATE` for `IllegalSASLState`.
    fn in_capitals(name: &str) -> String {
        let letters: Vec<char> = name.chars().collect();
        let mut code = String::with_capacity(name.len() + 4);
        for (place, letter) in letters.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| letters[before]);
            let after = letters.get(place + 1);
            let starts_a_word = letter.is_ascii_uppercase()
                && before.is_some_and(|before| {
                    !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
                });
            if starts_a_word {
                code.push('_');
            }
            code.push(letter.to_ascii_uppercase());
        }
        code
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

    #[cfg(test)]
    mod tests {
        use super::in_capitals;

        #[test]
        fn words_of_capitals_stay_whole() {
            for (name, code) in [
                ("UnknownTopicOrPartition", "UNKNOWN_TOPIC_OR_PARTITION"),
                ("SSL", "SSL"),
                ("ISRInsufficient", "ISR_INSUFFICIENT"),
                ("UnsupportedSASLMechanism", "UNSUPPORTED_SASL_MECHANISM"),
                ("IllegalSASLState", "ILLEGAL_SASL_STATE"),
                ("PartitionEOF", "PARTITION_EOF"),
                ("MessageSizeTooLarge", "MESSAGE_SIZE_TOO_LARGE"),
            ] {
                assert_eq!(in_capitals(name), code);
            }
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
