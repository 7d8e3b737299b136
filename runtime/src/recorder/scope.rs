//! Instrumentation scopes, each with a number that stands for it in records.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, RwLock, TryLockError, TryLockResult};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::InstrumentationScope;

/// How many scopes are told apart. A program has one for each crate that makes spans; one that makes up scopes
/// without end gets the empty scope for those that come later.
const MOST: usize = 10_000;

/// The number of a scope, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId(pub(super) u32);

static SCOPES: RwLock<Scopes> = RwLock::new(Scopes::new());

/// Returns what this function gets of the lock. If the process is a child of `fork`, a thread that the child does not have
/// may hold the lock for ever: then it returns `None` after a while.
fn acquire<T>(try_acquire: impl Fn() -> TryLockResult<T>) -> Option<T> {
    /// Other threads hold the lock for microseconds.
    const PATIENCE: Duration = Duration::from_millis(200);

    let mut deadline = None;
    loop {
        match try_acquire() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        if Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + PATIENCE) {
            return None;
        }
        thread::yield_now();
    }
}

/// The scope with the number zero is the empty one.
#[derive(Debug)]
struct Scopes {
    by_scope: HashMap<Arc<InstrumentationScope>, ScopeId, BuildHasherDefault<DefaultHasher>>,
    by_id: Vec<Arc<InstrumentationScope>>,
}

impl ScopeId {
    pub(super) const EMPTY: Self = Self(0);

    /// The number of this scope: always the same one.
    pub(crate) fn of(scope: &InstrumentationScope) -> Self {
        let known = || acquire(|| SCOPES.try_read())?.by_scope.get(scope).copied();
        let add = || Some(acquire(|| SCOPES.try_write())?.add(scope));
        known().or_else(add).unwrap_or(Self::EMPTY)
    }

    /// The scope that has this number.
    pub(crate) fn scope(self) -> Arc<InstrumentationScope> {
        let scopes = acquire(|| SCOPES.try_read());
        let index = usize::try_from(self.0).unwrap_or(usize::MAX);
        scopes.and_then(|scopes| scopes.by_id.get(index).cloned()).unwrap_or_default()
    }
}

impl Scopes {
    const fn new() -> Self {
        Self { by_scope: HashMap::with_hasher(BuildHasherDefault::new()), by_id: Vec::new() }
    }

    fn add(&mut self, scope: &InstrumentationScope) -> ScopeId {
        if self.by_id.is_empty() {
            self.insert(InstrumentationScope::default());
        }
        match self.by_scope.get(scope) {
            Some(id) => *id,
            None if self.by_id.len() >= MOST => ScopeId::EMPTY,
            None => self.insert(scope.clone()),
        }
    }

    fn insert(&mut self, scope: InstrumentationScope) -> ScopeId {
        let id = ScopeId(u32::try_from(self.by_id.len()).unwrap_or_default());
        let scope = Arc::new(scope);
        self.by_id.push(scope.clone());
        self.by_scope.insert(scope, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_one_number() {
        let scope = |name: &'static str| InstrumentationScope::builder(name).build();
        let (a, b) = (scope("scope a"), scope("scope b"));
        assert_eq!(ScopeId::of(&a), ScopeId::of(&scope("scope a")));
        assert_ne!(ScopeId::of(&a), ScopeId::of(&b));
        assert_eq!(*ScopeId::of(&b).scope(), b);
        assert_eq!(*ScopeId(u32::MAX).scope(), InstrumentationScope::default());
    }

    #[test]
    fn a_lock_that_is_held_for_ever_is_given_up() {
        let lock = RwLock::new(());
        let guard = lock.write().expect("it is free");
        assert!(acquire(|| lock.try_read()).is_none());
        drop(guard);
        assert!(acquire(|| lock.try_write()).is_some());
    }

    #[test]
    fn a_lock_that_is_held_for_a_moment_is_waited_for() {
        let lock = RwLock::new(());
        let guard = lock.write().expect("it is free");
        let (started, start) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let guard = acquire(|| {
                    let _ = started.send(());
                    lock.try_read()
                });
                guard.is_some()
            });
            for _ in 0..3 {
                start.recv_timeout(Duration::from_secs(4)).expect("it is tried again");
            }
            drop(guard);
            assert!(reader.join().expect("no panic"));
        });
    }

    #[test]
    fn scopes_without_end_are_the_empty_one() {
        let mut scopes = Scopes::new();
        let numbered = |number: usize| InstrumentationScope::builder(number.to_string()).build();
        for number in 1..MOST {
            assert_eq!(
                scopes.add(&numbered(number)),
                ScopeId(u32::try_from(number).expect("it fits"))
            );
        }
        assert_eq!(scopes.add(&numbered(MOST)), ScopeId::EMPTY);
        assert_eq!(scopes.add(&numbered(7)), ScopeId(7));
        assert_eq!(scopes.by_id.len(), MOST);
    }
}
