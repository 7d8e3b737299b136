//! Locks whose holders may panic.

use std::sync::{LockResult, PoisonError};

/// What is locked here is whole at every moment: what the program's code might break by a panic is not changed while
/// that code runs. So a lock is taken whether or not somebody has panicked with it.
pub(crate) trait Unpoisoned<T> {
    fn unpoisoned(self) -> T;
}

impl<T> Unpoisoned<T> for LockResult<T> {
    #[inline]
    fn unpoisoned(self) -> T {
        self.unwrap_or_else(PoisonError::into_inner)
    }
}
