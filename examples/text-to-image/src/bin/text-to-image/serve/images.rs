//! `POST /v1/images`: a prompt becomes a picture.

use std::sync::Arc;

use axum::Json;
use axum::extract::{self, FromRequest, State};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use spandrel::{TraceContext, propagate, span};
use text_to_image::Request;

use super::Server;
use super::failure::{Failure, Reason};
use super::worker::Job;
use crate::model::Model;

/// Each pixel of the model becomes a square of as many pixels in the answer.
const SCALE: usize = 4;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    prompt: String,
    #[serde(default = "twenty")]
    num_inference_steps: usize,
    #[serde(default = "two")]
    guidance_scale: f32,
    /// The same seed draws the same picture; absent: another one each time.
    seed: Option<u32>,
    #[serde(default)]
    trace_context: TraceContext,
}

fn twenty() -> usize {
    20
}

fn two() -> f32 {
    2.0
}

#[derive(Debug, Serialize)]
pub(super) struct Output {
    /// A PNG in base64.
    image: String,
    seed: u32,
    unknown_words: Vec<String>,
    trace_id: String,
}

/// A body that is JSON; else the answer is JSON all the same.
pub(super) struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: extract::Request, state: &S) -> Result<Self, Failure> {
        let Json(body) = Json::from_request(request, state).await.map_err(Reason::Body)?;
        Ok(Self(body))
    }
}

/// Continues the trace of the body's `trace_context`, or else that of the request. The batch that the picture is drawn in is a
/// trace of its own, for it has several callers: the two are linked.
#[propagate(input.trace_context)]
#[span(
    "text-to-image",
    model.name = Model::NAME,
    prompt.length = input.prompt.len(),
    num_inference_steps = input.num_inference_steps,
    guidance_scale = input.guidance_scale,
    error_if(Failure::is_ours)
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Body(input): Body<Input>,
) -> Result<Json<Output>, Failure> {
    let (asked, most) = (input.num_inference_steps, server.max_steps);
    if !(1..=most).contains(&asked) {
        return Err(Reason::Steps { asked, most }.into());
    }
    let prompt = server.worker.model().prompt(&input.prompt)?;
    let unknown_words = prompt.unknown().to_vec();
    let seed = input.seed.unwrap_or_else(rand::random);
    let request = Request::new(prompt, seed.into(), input.guidance_scale)?;
    let (job, ticket) = Job::new(request, asked);

    #[span("queue")]
    let batch = {
        server.worker.submit(job)?;
        ticket.begun.await.map_err(|_| Reason::Model)?
    };

    #[span("inference", links([batch.span]), batch.size = batch.size)]
    let picture = ticket.picture.await.map_err(|_| Reason::Model)??;

    #[span("upload")]
    let image = BASE64_STANDARD.encode(picture.to_png(SCALE));

    let trace_id = spandrel::current_trace_id().to_string();
    Ok(Json(Output { image, seed, unknown_words, trace_id }))
}
