//! The model: it belongs to one thread, which draws what waits together.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use spandrel::{CurrentSpan, span};
use text_to_image::{Error, Picture, Request};
use tokio::sync::{mpsc, oneshot};

use super::failure::Reason;
use crate::model::Model;

#[derive(Debug)]
pub(super) struct Worker {
    model: Arc<Model>,
    jobs: mpsc::Sender<Job>,
}

/// A picture that somebody waits for.
#[derive(Debug)]
pub(super) struct Job {
    request: Request,
    steps: usize,
    /// The span that waits.
    caller: CurrentSpan,
    begun: oneshot::Sender<Batch>,
    picture: Answer,
}

type Drawn = Result<Picture, Error>;
type Answer = oneshot::Sender<Drawn>;

/// What it is drawn in.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) span: CurrentSpan,
    pub(super) size: usize,
}

/// What whoever waits gets: first that it has begun, then the picture.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) begun: oneshot::Receiver<Batch>,
    pub(super) picture: oneshot::Receiver<Drawn>,
}

impl Job {
    pub(super) fn new(request: Request, steps: usize) -> (Self, Ticket) {
        let (begun, tells_begun) = oneshot::channel();
        let (picture, tells_picture) = oneshot::channel();
        let caller = spandrel::current();
        let ticket = Ticket { begun: tells_begun, picture: tells_picture };
        (Self { request, steps, caller, begun, picture }, ticket)
    }
}

impl Worker {
    pub(super) fn start(model: Model, batch: usize, queue: NonZeroUsize) -> io::Result<Self> {
        let model = Arc::new(model);
        let (jobs, waiting) = mpsc::channel(queue.get());
        let worker = Self { model: model.clone(), jobs };
        thread::Builder::new()
            .name("model".to_owned())
            .spawn(move || work(&model, batch, waiting))?;
        Ok(worker)
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// Does not wait for a place in the queue.
    pub(super) fn submit(&self, job: Job) -> Result<(), Reason> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Reason::Busy,
            mpsc::error::TrySendError::Closed(_) => Reason::Model,
        })
    }
}

/// Nothing waits for a batch to be full: while one is drawn, the next one gathers.
fn work(model: &Model, batch: usize, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting: VecDeque<Job> = VecDeque::new();
    while let Some(first) = waiting.pop_front().or_else(|| jobs.blocking_recv()) {
        let mut together = vec![first];
        while waiting.len() + together.len() < batch {
            let Ok(job) = jobs.try_recv() else { break };
            waiting.push_back(job);
        }
        // Pictures are drawn together step by step.
        let steps = together[0].steps;
        let (same, others): (Vec<Job>, _) = waiting.into_iter().partition(|job| job.steps == steps);
        waiting = others.into();
        together.extend(same);
        together.retain(|job| !job.picture.is_closed());
        if !together.is_empty() {
            // What panics is told in the spans; whoever waits hears that there is no picture.
            let drawn = catch_unwind(AssertUnwindSafe(|| draw(model, together, steps)));
            // The batch's span has ended: whoever has an answer finds it.
            for (answer, picture) in drawn.into_iter().flatten() {
                let _ = answer.send(picture);
            }
        }
    }
}

#[span("batch", root, links(jobs.iter().map(|job| job.caller.clone())), batch.size = jobs.len())]
fn draw(model: &Model, jobs: Vec<Job>, steps: usize) -> Vec<(Answer, Drawn)> {
    let (size, span) = (jobs.len(), spandrel::current());
    let mut requests = Vec::with_capacity(size);
    let mut answers = Vec::with_capacity(size);
    for Job { request, begun, picture, .. } in jobs {
        // It does not matter when nobody waits any more.
        let _ = begun.send(Batch { span: span.clone(), size });
        requests.push(request);
        answers.push(picture);
    }
    let drawn: Vec<Drawn> = match model.draw(&requests, steps, &|_| {}) {
        Ok(pictures) => pictures.into_iter().map(Ok).collect(),
        Err(error) => {
            let reason = error.to_string();
            span.fail(reason.clone());
            answers.iter().map(|_| Err(Error::Device(reason.clone()))).collect()
        }
    };
    answers.into_iter().zip(drawn).collect()
}
