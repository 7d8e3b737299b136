//! The service that draws: the model on a thread of its own, and a folder for the pictures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::post;
use spandrel::{carry, propagate, span, traced_app};
use text_to_image::{Backend, Choice, Picture};

use crate::error::Error;
use crate::http;
use crate::messages::{Failure, Input, Output};
use crate::model::{Drawn, Model};

/// Each pixel of the model becomes a square of as many pixels in the file.
const SCALE: usize = 4;

pub(crate) async fn serve(store: PathBuf) -> Result<(), Error> {
    let backend = Backend::open(Choice::Auto)?;
    let app = Arc::new(Worker::setup(&backend, store)?);
    let served = http::serve(post(Worker::run).with_state(app.clone())).await;
    app.teardown();
    served
}

#[derive(Debug)]
struct Worker {
    model: Model,
    store: PathBuf,
}

#[traced_app("image-worker", backend = backend.name())]
impl Worker {
    fn setup(backend: &Backend, store: PathBuf) -> Result<Self, Error> {
        Ok(Self { model: Model::load(backend)?, store })
    }

    /// A child of the caller's span, which is in another process.
    #[propagate(input.trace_context)]
    #[span(
        "inference",
        kind(server),
        model.name = Model::NAME,
        num_inference_steps = input.num_inference_steps,
        guidance_scale = input.guidance_scale,
    )]
    async fn run(
        State(app): State<Arc<Self>>,
        Json(input): Json<Input>,
    ) -> Result<Json<Output>, Failure> {
        let path = app.place(&input.key)?;
        let Drawn { picture, unknown_words } = app.model.draw(input).await?;
        let uploading = tokio::task::spawn_blocking(carry(move || upload(&picture, &path)));
        let url = uploading.await.map_err(|panic| Error::System(panic.into()))??;
        let trace_id = spandrel::current_trace_id().to_string();
        Ok(Json(Output { url, unknown_words, trace_id }))
    }

    /// In the store, wherever the caller would like to write.
    fn place(&self, key: &str) -> Result<PathBuf, Error> {
        if Path::new(key).file_name() == Some(key.as_ref()) {
            Ok(self.store.join(key))
        } else {
            Err(Error::Key(key.to_owned()))
        }
    }
}

#[span("upload", ok(|url| image.url = url))]
fn upload(picture: &Picture, path: &Path) -> Result<String, Error> {
    picture.save(path, SCALE).map_err(Error::Upload)?;
    Ok(path.display().to_string())
}
