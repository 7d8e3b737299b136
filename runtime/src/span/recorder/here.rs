//! The installed recorder as a thread knows it, so that threads share nothing while they record.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Recorder;
use super::tracer::Tracer;
use crate::recorder::Library;

thread_local!(static HERE: RefCell<Option<Rc<Here>>> = const { RefCell::new(None) });

pub(crate) struct Here {
    pub(super) generation: usize,
    pub(super) recorder: Arc<Recorder>,
    /// Few: one a crate that has spans.
    tracers: RefCell<Vec<(Library, Tracer)>>,
}

impl Here {
    /// What was installed, if it still is.
    pub(super) fn of(generation: usize) -> Option<Rc<Self>> {
        let current = |here: &Rc<Self>| here.generation == generation;
        HERE.try_with(|here| here.borrow().as_ref().filter(|here| current(here)).cloned()).ok()?
    }

    pub(super) fn remember(recorder: Arc<Recorder>, generation: usize) -> Rc<Self> {
        let here = Rc::new(Self { generation, recorder, tracers: RefCell::default() });
        // What was there is dropped outside of the borrow.
        let _before = HERE.try_with(|slot| slot.borrow_mut().replace(here.clone()));
        here
    }

    /// Other threads forget when they record next, or end.
    #[cfg(feature = "app")]
    pub(super) fn forget() {
        let _before = HERE.try_with(|slot| slot.borrow_mut().take());
    }

    pub(super) fn tracer(&self, library: Library) -> Tracer {
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
