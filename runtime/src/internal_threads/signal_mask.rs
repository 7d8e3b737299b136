//! The signals that a thread blocks.

#![allow(unsafe_code, reason = "a thread's signal mask is only set by a system call")]

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{ptr, thread};

/// The signals that threads of the library do not block.
const EXEMPT: [libc::c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGSYS,
    libc::SIGPROF,
];

/// A set of signals to block.
#[derive(Clone, Copy)]
pub(super) struct SignalMask(libc::sigset_t);

impl SignalMask {
    /// Every signal but those that report a fault or a trap of the thread itself, and the one of profilers.
    pub(super) fn all_but_faults() -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: `sigfillset` initialises the set that it is given, and `sigdelset` changes an
        // initialised one.
        unsafe {
            libc::sigfillset(set.as_mut_ptr());
            for signal in EXEMPT {
                libc::sigdelset(set.as_mut_ptr(), signal);
            }
            Self(set.assume_init())
        }
    }

    /// The mask of the process's main thread, where the operating system tells it: on Linux. A program
    /// that waits for signals blocks them there, so that its other threads inherit that.
    pub(super) fn of_main_thread() -> Option<Self> {
        // While a thread is being started, the one that starts it blocks everything for a moment.
        const ATTEMPTS: usize = 50;
        const PAUSE: Duration = Duration::from_micros(200);
        // Such a mask that was still there after the wait: it is the program's own, and not waited for again.
        static LASTING: AtomicU64 = AtomicU64::new(0);

        let mut blocked = blocked_by_main_thread()?;
        for _ in 0..ATTEMPTS {
            if !Self::of(blocked).blocks_everything() || LASTING.load(Relaxed) == blocked {
                return Some(Self::of(blocked));
            }
            thread::sleep(PAUSE);
            blocked = blocked_by_main_thread()?;
        }
        LASTING.store(blocked, Relaxed);
        Some(Self::of(blocked))
    }

    /// Whether it blocks what threads of the library block.
    fn blocks_everything(&self) -> bool {
        (1..32)
            .filter(|signal| !EXEMPT.contains(signal))
            .filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal))
            .all(|signal| self.blocks(signal))
    }

    fn blocks(&self, signal: libc::c_int) -> bool {
        // SAFETY: the set is initialised.
        unsafe { libc::sigismember(ptr::from_ref(&self.0), signal) == 1 }
    }

    /// The mask with these signals: a bit each, the lowest for the first.
    fn of(blocked: u64) -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` initialises the set that it is given, and `sigaddset` changes an
        // initialised one. Numbers that are no signal's it refuses.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in (1..=64).filter(|signal| blocked >> (signal - 1) & 1 == 1) {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            Self(set.assume_init())
        }
    }

    /// Makes this the mask of the current thread; returns the mask that it had.
    pub(super) fn set(self) -> Self {
        let mut before = MaybeUninit::uninit();
        // SAFETY: both pointers are valid, and with a valid first argument the call cannot fail, so
        // that it initialises `before`.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, ptr::from_ref(&self.0), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }

    /// As [`set`](Self::set), until the value that it returns is dropped.
    pub(super) fn set_until_dropped(self) -> Restored {
        Restored(self.set())
    }
}

/// The signals that the main thread blocks now, a bit each.
fn blocked_by_main_thread() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"))?;
    u64::from_str_radix(blocked.trim(), 16).ok()
}

/// Sets the mask of the current thread to what it was, when it is dropped.
pub(super) struct Restored(SignalMask);

impl Drop for Restored {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current() -> SignalMask {
        let mut mask = MaybeUninit::uninit();
        // SAFETY: without a new mask, the call writes the current one.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), mask.as_mut_ptr());
            SignalMask(mask.assume_init())
        }
    }

    #[test]
    fn faults_and_profilers_get_through() {
        let before = SignalMask::all_but_faults().set();
        let mask = current();
        before.set();
        assert!(mask.blocks_everything() && !before.blocks_everything());
        for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD, libc::SIGWINCH] {
            assert!(mask.blocks(signal), "{signal}");
        }
        for signal in EXEMPT {
            assert!(!mask.blocks(signal), "{signal}");
        }
    }

    #[test]
    fn a_mask_is_restored() {
        let outer = current();
        assert!(!outer.blocks(libc::SIGHUP));
        {
            let _restored = SignalMask::all_but_faults().set_until_dropped();
            assert!(current().blocks(libc::SIGHUP));
        }
        assert!(!current().blocks(libc::SIGHUP));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_main_thread_s_mask_is_known() {
        // The test runner's main thread blocks nothing.
        let mask = SignalMask::of_main_thread().expect("Linux tells it");
        assert!(!mask.blocks(libc::SIGTERM));
    }
}
