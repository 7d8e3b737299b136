//! What threads remember, and what the process does with the buffers of its threads.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ptr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use opentelemetry::trace::SpanId;

use super::clock::Anchor;
use super::local::SlotRef;
use super::outlet::{Outlet, Room};
use super::scope::ScopeId;
use super::tests::empty_span;
use super::thread::{InstrumentedCrate, Thread};
use super::{
    Batch, KnownSpan, any_open, append, close, collect, interrupt, new_ids, new_pipeline,
    test_spans, with_waiting,
};

/// An outlet that counts the spans it takes and the room that is reserved.
#[derive(Debug, Default)]
struct Counts {
    taken: Mutex<usize>,
    reserved: Mutex<Room>,
}

impl Counts {
    fn taken(&self) -> usize {
        *self.taken.lock().expect("no panic")
    }

    fn reserved(&self) -> Room {
        *self.reserved.lock().expect("no panic")
    }
}

impl Outlet for Counts {
    fn spans_at_once(&self) -> usize {
        100
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        let room = Room { spans: lacking.spans * 3, bytes: lacking.bytes * 3 };
        let mut reserved = self.reserved.lock().expect("no panic");
        *reserved = Room { spans: reserved.spans + room.spans, bytes: reserved.bytes + room.bytes };
        Some(room)
    }

    fn release(&self, room: Room) {
        let mut reserved = self.reserved.lock().expect("no panic");
        reserved.spans -= room.spans;
        reserved.bytes -= room.bytes;
    }

    fn take(&self, batch: Batch) {
        *self.taken.lock().expect("no panic") += batch.spans();
    }
}

/// Opens a span on this thread.
fn open(pipeline: usize, outlet: &Arc<Counts>) -> SlotRef {
    let local = Thread::with(|thread| thread.local).expect("the thread does not end");
    let outlet: Arc<dyn Outlet> = outlet.clone();
    test_spans::open(local, (pipeline, &outlet), ScopeId::EMPTY, "name")
}

/// What this comes to on a thread of its own.
fn on_a_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(run).join().expect("no panic"))
}

#[test]
fn the_spans_of_all_threads_are_found_by_their_pipeline() {
    let [this, other] = [(); 2].map(|()| new_pipeline());
    let outlet = Arc::new(Counts::default());
    let waiting = |pipeline| with_waiting(pipeline, |waiting| waiting);
    let places = [(); 4].map(|()| open(this, &outlet));
    on_a_thread(|| {
        assert!(any_open(this) && !any_open(other));
        places[0].end(None);
        assert_eq!((waiting(this), waiting(other), outlet.taken()), (1, 0, 0));
        collect(other);
        assert_eq!(outlet.taken(), 0);
        collect(this);
        assert_eq!((waiting(this), outlet.taken()), (0, 1));
        places[1].end(None);
        interrupt(other);
        assert!(any_open(this));
        interrupt(this);
        assert!(!any_open(this));
        assert_eq!((waiting(this), outlet.taken()), (3, 1));
        close(other);
        assert_eq!(outlet.taken(), 1);
        close(this);
        assert_eq!((waiting(this), outlet.taken()), (0, 4));
    });
    assert_eq!((Arc::strong_count(&outlet), outlet.reserved().spans), (1, 4));
}

#[test]
fn a_thread_that_ends_hands_over_what_waits_and_leaves_its_slots_to_another_thread() {
    let locals: Vec<usize> = (0..100)
        .map(|_| {
            let (pipeline, outlet) = (new_pipeline(), Arc::new(Counts::default()));
            let local = on_a_thread(|| {
                open(pipeline, &outlet).end(None);
                assert_eq!(outlet.taken(), 0);
                Thread::with(|thread| ptr::from_ref(thread.local).addr())
            });
            assert_eq!(outlet.taken(), 1);
            local.expect("the thread does not end")
        })
        .collect();
    let distinct: HashSet<&usize> = locals.iter().collect();
    assert!(distinct.len() < locals.len(), "tests beside this one take some of them");
}

#[test]
fn spans_of_the_sdk_wait_with_the_others() {
    let (pipeline, outlet) = (new_pipeline(), Arc::new(Counts::default()));
    let sink: Arc<dyn Outlet> = outlet.clone();
    append(&sink, pipeline, &empty_span());
    assert_eq!((with_waiting(pipeline, |waiting| waiting), outlet.taken()), (1, 0));
    close(pipeline);
    assert_eq!(outlet.taken(), 1);
}

/// Appends a span and makes ids when it is dropped.
struct Last(Arc<Counts>, Sender<(bool, bool)>);

impl Drop for Last {
    fn drop(&mut self) {
        let is_over = Thread::with(|_| ()).is_none();
        let sink: Arc<dyn Outlet> = self.0.clone();
        append(&sink, new_pipeline(), &empty_span());
        let (trace, span) = new_ids();
        let is_valid = trace.to_bytes() != [0; 16] && span.to_bytes() != [0; 8];
        self.1.send((is_over, is_valid)).expect("somebody waits");
    }
}

thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });

#[test]
fn while_a_thread_ends_spans_of_the_sdk_are_handed_over_at_once() {
    let outlet = Arc::new(Counts::default());
    let (ended, outcome) = channel();
    let last = Last(outlet.clone(), ended);
    on_a_thread(move || {
        // Thread-locals are destroyed in reverse order of initialisation.
        LAST.set(Some(last));
        Thread::with(|_| ()).expect("the thread does not end yet");
    });
    assert_eq!(outcome.recv().expect("it was dropped"), (true, true));
    let used = Batch::of(&empty_span()).size();
    assert_eq!((outlet.taken(), outlet.reserved()), (1, Room { spans: 1, bytes: used }));
}

#[test]
fn numbers_and_ids_are_new_each_time() {
    let pipelines = [(); 3].map(|()| new_pipeline());
    assert!(0 < pipelines[0] && pipelines[0] < pipelines[1] && pipelines[1] < pipelines[2]);
    let [first, second] = [(); 2].map(|()| new_ids());
    assert!(first.0 != second.0 && first.1 != second.1);
}

#[test]
fn a_library_is_the_same_wherever_its_name_is() {
    let library = |name: &str, version: Option<&str>| InstrumentedCrate {
        name: name.to_owned().leak(),
        version: version.map(|version| &*version.to_owned().leak()),
    };
    let it = library("a", Some("1"));
    assert!(it.is(it) && it.is(library("a", Some("1"))));
    let others = [library("b", Some("1")), library("a", Some("2")), library("a", None)];
    assert!(others.iter().all(|other| !it.is(*other)));
    let scopes = on_a_thread(|| {
        let libraries = [it, library("a", Some("1")), others[0], others[1], others[2]];
        Thread::with(|thread| libraries.map(|library| thread.scope(library)))
    });
    let scopes = scopes.expect("the thread does not end");
    assert!(scopes[0] == scopes[1] && scopes[2..].iter().all(|other| *other != scopes[0]));
    let scopes = scopes.map(ScopeId::scope);
    assert_eq!((scopes[0].name(), scopes[0].version()), ("a", Some("1")));
    assert_eq!((scopes[4].name(), scopes[4].version()), ("a", None));
}

#[test]
fn a_thread_remembers_the_latest_span_and_eight_parents() {
    let outlet = Arc::new(Counts::default());
    let pipeline = new_pipeline();
    on_a_thread(|| {
        let known = |id: u64| {
            let slot = open(pipeline, &outlet);
            KnownSpan { id: SpanId::from(id), slot, anchor: Anchor::default() }
        };
        let parents: Vec<KnownSpan> = (248..257).map(known).collect();
        let (first, second) = (known(1000), known(2000));
        Thread::with(|thread| {
            let remembers = |thread: &Thread, known: &KnownSpan| {
                let found = thread.remembered(known.id);
                assert!(found.is_none_or(|found| found.id == known.id));
                found.is_some()
            };
            for parent in &parents[..8] {
                thread.remember(&first, Some(parent));
            }
            assert!(parents[..8].iter().all(|parent| remembers(thread, parent)));
            assert!(remembers(thread, &first) && !remembers(thread, &second));
            thread.remember(&second, None);
            assert!(remembers(thread, &second) && !remembers(thread, &first));
            thread.remember(&first, Some(&parents[8]));
            let remembered = parents.iter().filter(|parent| remembers(thread, parent));
            assert_eq!(remembered.count(), 8);
            assert!(remembers(thread, &parents[8]), "it takes the place of another one");
        })
        .expect("the thread does not end");
    });
}
