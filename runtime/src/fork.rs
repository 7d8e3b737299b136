//! Whether this is a child of `fork`, which has but one of its parent's threads.

/// Tells once whether the process has become another one.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Fork(Option<forkguard::Guard>);

#[cfg(unix)]
impl Fork {
    /// From now on.
    pub(crate) fn watch() -> Self {
        Self(forkguard::Guard::try_new().ok())
    }

    #[inline]
    pub(crate) fn happened(&mut self) -> bool {
        self.0.as_mut().is_some_and(forkguard::Guard::detected_fork)
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

    pub(crate) fn happened(&mut self) -> bool {
        false
    }
}
