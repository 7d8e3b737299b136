//! Instrumentation scopes, each with a number that stands for it in records.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use opentelemetry::InstrumentationScope;

/// How many scopes are told apart. A program has one for each crate that makes spans; one that makes up scopes
/// without end gets the empty scope for those that come later.
const MOST: usize = 10_000;

/// The number of a scope, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId(pub(super) u32);

static SCOPES: LazyLock<RwLock<Scopes>> = LazyLock::new(RwLock::default);

/// The scope with the number zero is the empty one.
#[derive(Debug, Default)]
struct Scopes {
    by_scope: HashMap<Arc<InstrumentationScope>, ScopeId>,
    by_id: Vec<Arc<InstrumentationScope>>,
}

impl ScopeId {
    pub(super) const EMPTY: Self = Self(0);

    /// The number of this scope: always the same one.
    pub(crate) fn of(scope: &InstrumentationScope) -> Self {
        let scopes = SCOPES.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = scopes.by_scope.get(scope) {
            return *id;
        }
        drop(scopes);
        SCOPES.write().unwrap_or_else(PoisonError::into_inner).add(scope)
    }

    /// The scope that has this number.
    pub(crate) fn scope(self) -> Arc<InstrumentationScope> {
        let scopes = SCOPES.read().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(self.0).unwrap_or(usize::MAX);
        scopes.by_id.get(index).cloned().unwrap_or_default()
    }
}

impl Scopes {
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
    fn scopes_without_end_are_the_empty_one() {
        let mut scopes = Scopes::default();
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
