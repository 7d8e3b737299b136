//! Frameworks for HTTP and gRPC, as the guide shows them: one server span for each request, with ours inside.

mod actix;
mod axum_router;
mod client;
mod grpc;
mod page;
mod recorded;

/// What the guide shows.
#[path = "recipes"]
mod recipes {
    pub(crate) mod actix;
    pub(crate) mod axum;
    pub(crate) mod reqwest;
    pub(crate) mod tonic;
}
