//! The service that people ask: it prepares the prompt and has the worker draw it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::post;
use reqwest::Client;
use spandrel::{TraceContext, propagate, span, traced_app};

use crate::error::Error;
use crate::http;
use crate::messages::{Failure, Input, Output};

pub(crate) async fn serve(worker: String) -> Result<(), Error> {
    let app = Arc::new(Pipeline::setup(worker)?);
    let served = http::serve(post(Pipeline::run).with_state(app.clone())).await;
    app.teardown();
    served
}

#[derive(Debug)]
struct Pipeline {
    worker: String,
    client: Client,
}

#[traced_app("image-pipeline")]
impl Pipeline {
    fn setup(worker: String) -> Result<Self, Error> {
        Ok(Self { worker, client: http::client()? })
    }

    #[propagate(input.trace_context)]
    #[span("image-pipeline", kind(server), num_inference_steps = input.num_inference_steps)]
    async fn run(
        State(app): State<Arc<Self>>,
        Json(input): Json<Input>,
    ) -> Result<Json<Output>, Failure> {
        let prompt = preprocess(&input.prompt)?;
        let output = app.request(Input { prompt, ..input }).await?;
        Ok(Json(output))
    }

    /// The worker finds its caller in the body.
    #[span("request-inference", kind(client))]
    async fn request(&self, input: Input) -> Result<Output, Error> {
        let trace_context = TraceContext::current();
        http::ask(&self.client, &self.worker, &Input { trace_context, ..input }).await
    }
}

#[span("preprocess", ok(|prompt| prompt.length = prompt.len()))]
fn preprocess(prompt: &str) -> Result<String, Error> {
    let words: Vec<&str> = prompt.split_whitespace().collect();
    if words.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    Ok(words.join(" ").to_lowercase())
}
