//! The installed recorder as a thread knows it, so that threads share nothing while they record.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Recorder;
use super::tracer::Tracer;
use crate::recorder::InstrumentedCrate;

thread_local!(static CACHED: RefCell<Option<Rc<CachedRecorder>>> = const { RefCell::new(None) });

pub(crate) struct CachedRecorder {
    pub(super) generation: usize,
    pub(super) recorder: Arc<Recorder>,
    /// Few: one a crate that has spans.
    tracers: RefCell<Vec<(InstrumentedCrate, Tracer)>>,
}

impl CachedRecorder {
    /// What was installed, if it still is.
    pub(super) fn of(generation: usize) -> Option<Rc<Self>> {
        let current = |cached: &Rc<Self>| cached.generation == generation;
        CACHED
            .try_with(|cached| cached.borrow().as_ref().filter(|cached| current(cached)).cloned())
            .ok()?
    }

    pub(super) fn remember(recorder: Arc<Recorder>, generation: usize) -> Rc<Self> {
        let cached = Rc::new(Self { generation, recorder, tracers: RefCell::default() });
        // What was there is dropped outside of the borrow.
        let _before = CACHED.try_with(|slot| slot.borrow_mut().replace(cached.clone()));
        cached
    }

    /// Other threads forget when they record next, or end.
    #[cfg(feature = "app")]
    pub(super) fn forget() {
        let _before = CACHED.try_with(|slot| slot.borrow_mut().take());
    }

    pub(super) fn tracer(&self, library: InstrumentedCrate) -> Tracer {
        let known = self.tracers.borrow();
        if let Some((_, tracer)) = known.iter().find(|(known, _)| known.is(library)) {
            return tracer.clone();
        }
        drop(known);
        let tracer = self.recorder.provider.tracer(library);
        self.tracers.borrow_mut().push((library, tracer.clone()));
        tracer
    }
}
