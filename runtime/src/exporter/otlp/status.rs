//! `google.rpc.Status`, in which collectors say what is wrong and when to come back.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[cfg(feature = "grpc")]
    #[prost(message, repeated, tag = "3")]
    details: Vec<retry::Any>,
}

#[cfg(feature = "grpc")]
mod retry {
    use std::time::Duration;

    use prost::Message;

    use super::Status;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Any {
        #[prost(string, tag = "1")]
        type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        delay: Option<Delay>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Delay {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }

    impl Status {
        /// How long to wait; a negative time is none.
        pub(in crate::exporter::otlp) fn retry_delay(&self) -> Option<Duration> {
            let info =
                self.details.iter().find(|any| any.type_url.ends_with("google.rpc.RetryInfo"));
            let Delay { seconds, nanos } = RetryInfo::decode(info?.value.as_slice()).ok()?.delay?;
            let nanos = u32::try_from(nanos).unwrap_or_default().min(999_999_999);
            Some(Duration::new(u64::try_from(seconds).unwrap_or_default(), nanos))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn delay(seconds: i64, nanos: i32) -> Option<Duration> {
            let info = RetryInfo { delay: Some(Delay { seconds, nanos }) };
            let any = Any {
                type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
                value: info.encode_to_vec(),
            };
            Status { message: String::new(), details: vec![any] }.retry_delay()
        }

        #[test]
        fn any_delay_is_a_duration() {
            assert_eq!(delay(1, 500_000_000), Some(Duration::from_millis(1500)));
            assert_eq!(delay(i64::MIN, i32::MIN), Some(Duration::ZERO));
            assert!(delay(i64::MAX, i32::MAX).is_some());
            assert_eq!(Status::default().retry_delay(), None);
        }
    }
}
