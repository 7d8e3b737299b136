//! The time-stamp counter of x86-64 processors.

#![allow(unsafe_code, reason = "the standard library has no safe function for it")]

/// The counter's ticks.
#[inline]
pub(super) fn read() -> u64 {
    // SAFETY: all x86-64 processors have this instruction. It reads a register of the processor and no memory. Linux
    // lets programs use it: where it is the clock source, the system's own clock reads it in the program's process.
    unsafe { core::arch::x86_64::_rdtsc() }
}
