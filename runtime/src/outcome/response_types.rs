//! The types of other crates that are responses.

use super::response_status::{ErrorMessage, ResponseStatus, ToResponseStatus};

/// Types whose status says it all.
macro_rules! responses {
    ($(
        #[cfg($feature:meta)]
        $ty:ty $(where $generic:ident)?: |$response:ident| $status:expr;
    )*) => {$(
        #[cfg($feature)]
        impl$(<$generic>)? ToResponseStatus for $ty {
            fn to_response_status(&self) -> Option<ResponseStatus> {
                let $response = self;
                Some($status)
            }

            fn spandrel_message(&self) -> ErrorMessage<'_> {
                ErrorMessage::Nothing
            }
        }
    )*};
}

responses! {
    #[cfg(feature = "http")]
    http::StatusCode: |code| ResponseStatus::Http(code.as_u16());
    #[cfg(feature = "http")]
    http::Response<B> where B: |response| ResponseStatus::Http(response.status().as_u16());
    #[cfg(feature = "http")]
    http::response::Parts: |parts| ResponseStatus::Http(parts.status.as_u16());
    #[cfg(feature = "reqwest")]
    reqwest::Response: |response| ResponseStatus::Http(response.status().as_u16());
    #[cfg(feature = "tonic")]
    tonic::Response<B> where B: |_response| ResponseStatus::Grpc(0);
}

#[cfg(feature = "tonic")]
impl ToResponseStatus for tonic::Status {
    fn to_response_status(&self) -> Option<ResponseStatus> {
        Some(ResponseStatus::Grpc(self.code().into()))
    }

    fn spandrel_message(&self) -> ErrorMessage<'_> {
        match self.message() {
            "" => ErrorMessage::Nothing,
            message => ErrorMessage::Text(message.into()),
        }
    }
}

/// An error that the client made of a response's status.
#[cfg(feature = "reqwest")]
impl ToResponseStatus for reqwest::Error {
    fn to_response_status(&self) -> Option<ResponseStatus> {
        None
    }

    fn to_received_status(&self) -> Option<ResponseStatus> {
        self.status().map(|code| ResponseStatus::Http(code.as_u16()))
    }
}
