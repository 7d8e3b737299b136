//! Memory that a thread has used for one span's record, and uses for the next.

use std::cell::Cell;

/// Larger records are rare.
const MOST_KEPT: usize = 4096;

thread_local!(static MEMORY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) });

/// Some memory, until it is given back. There is none while the thread ends.
#[inline]
pub(super) fn take() -> Vec<u8> {
    MEMORY.try_with(Cell::take).unwrap_or_default()
}

/// Keeps the memory for the next span.
#[inline]
pub(super) fn give_back(memory: Vec<u8>) {
    if memory.capacity() != 0 && memory.capacity() <= MOST_KEPT {
        let _ = MEMORY.try_with(|kept| kept.set(memory));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_up_to_4_kib() {
        give_back(Vec::with_capacity(MOST_KEPT + 1));
        assert_eq!(take().capacity(), 0);
        give_back(Vec::with_capacity(MOST_KEPT));
        give_back(Vec::new());
        assert_eq!(take().capacity(), MOST_KEPT);
        assert_eq!(take().capacity(), 0, "it was taken");
    }
}
