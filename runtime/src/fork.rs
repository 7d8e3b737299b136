//! Whether this is a child of `fork`, which has but one of its parent's threads.

/// Tells whether the process has become another one.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Fork(Option<forkguard::Guard>);

#[cfg(unix)]
impl Fork {
    /// From now on.
    pub(crate) fn watch() -> Self {
        Self(forkguard::Guard::try_new().ok())
    }

    /// Whether the process has become another one since this was made.
    #[inline]
    pub(crate) fn has_happened(&self) -> bool {
        self.0.clone().is_some_and(|mut guard| guard.detected_fork())
    }
}

/// There is no `fork` here.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Fork;

#[cfg(not(unix))]
impl Fork {
    pub(crate) fn watch() -> Self {
        Self
    }

    pub(crate) fn has_happened(&self) -> bool {
        false
    }
}
