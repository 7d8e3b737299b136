//! The signal handler: what the process does when SIGTERM, SIGINT, SIGHUP or SIGQUIT arrives, as far as
//! it must be decided in the handler itself. Everything else is done by the thread that it wakes.
//!
//! The handler calls only functions that are safe in a signal handler: `getpid`, `sigaction`, `clock_gettime`,
//! `raise`, `write`, `sigemptyset`, `sigaddset` and `pthread_sigmask`. It neither allocates nor locks.

#![allow(unsafe_code, reason = "a signal's action is only set by a system call")]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use libc::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, c_void, sigaction, siginfo_t};

/// The signals whose default action ends the process, and which a terminal or a supervisor sends to
/// make it end.
pub(super) const SIGNALS: [c_int; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

/// The process whose watching thread listens at [`WAKE`]: a child of `fork` has the handler and not the
/// thread. Zero while there is none.
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// The descriptor at whose other end the watching thread listens.
static WAKE: AtomicI32 = AtomicI32::new(-1);
/// The actions that our handler has taken the place of, by the signal's place in [`SIGNALS`]. They are
/// leaked: the handler may read one at any time.
static REPLACED: [AtomicPtr<sigaction>; SIGNALS.len()] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS.len()];
/// The signals, by their places in [`SIGNALS`], for which our handler was set and not removed since: a
/// handler that took its place may call it.
static CHAINED: [AtomicBool; SIGNALS.len()] = [const { AtomicBool::new(false) }; SIGNALS.len()];
/// Whether the program has called `shutdown_signal`.
static AWAITED: AtomicBool = AtomicBool::new(false);
/// When the first signal for `shutdown_signal` arrived.
static ANNOUNCED: FirstTime = FirstTime::never();
/// When the first signal arrived that ends the process.
static ENDING: FirstTime = FirstTime::never();

/// A second signal counts as a repeated one after this time. Senders may send one signal twice at once: to the
/// process and to its process group, as `timeout` of GNU coreutils does.
const REPEATED_AFTER: Duration = Duration::from_millis(500);

/// When something happened first, on the monotonic clock.
struct FirstTime(AtomicU64);

impl FirstTime {
    const fn never() -> Self {
        Self(AtomicU64::new(0))
    }

    fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    fn has_come(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }

    /// It happens now. Whether it happened before, and not at the same moment.
    fn repeats(&self) -> bool {
        let now = milliseconds();
        match self.0.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => false,
            Err(first) => u128::from(now.saturating_sub(first)) >= REPEATED_AFTER.as_millis(),
        }
    }
}

/// The monotonic clock, never zero.
fn milliseconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let [seconds, nanos] = [now.tv_sec, now.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    (seconds * 1000 + nanos / 1_000_000).max(1)
}

/// What the watching thread is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wakeup {
    /// A signal arrived.
    Signal(c_int),
    /// The process is exiting.
    Exit,
}

impl Wakeup {
    fn byte(self) -> u8 {
        match self {
            Self::Signal(signal) => u8::try_from(signal).unwrap_or_default(),
            Self::Exit => 0,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Self {
        if byte == 0 { Self::Exit } else { Self::Signal(byte.into()) }
    }
}

/// Who handles a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandledBy {
    /// A handler of the program's, set before ours or after it, or the program waits for
    /// `shutdown_signal`.
    Program,
    /// Nobody: without us the signal would end the process.
    Nobody,
    /// Nobody; and the kernel does not end the first process of a container, PID 1, by such a signal.
    Kernel,
}

/// From now on `shutdown_signal` handles SIGTERM and SIGINT.
pub(super) fn set_awaited() {
    AWAITED.store(true, Ordering::SeqCst);
}

/// Restores the previous signal actions. Signals that `shutdown_signal` handles keep our handler.
pub(in crate::app) fn uninstall_all() {
    SIGNALS.into_iter().filter(|signal| !is_awaited(*signal)).for_each(uninstall);
}

/// Whether `shutdown_signal` handles this signal.
pub(super) fn is_awaited(signal: c_int) -> bool {
    is_stop(signal) && AWAITED.load(Ordering::SeqCst)
}

/// Whether a signal asks for a shutdown and for nothing else. SIGHUP and SIGQUIT may mean anything to
/// a program that handles them: that it should read its configuration again, for example.
pub(super) fn is_stop(signal: c_int) -> bool {
    signal == SIGTERM || signal == SIGINT
}

/// The handler of this process wakes the thread at the other end of this descriptor.
pub(super) fn set_wake(writer: OwnedFd) {
    WAKE.store(writer.into_raw_fd(), Ordering::SeqCst);
    // A child of `fork` has got no signal yet.
    ANNOUNCED.reset();
    ENDING.reset();
    PROCESS.store(process::id(), Ordering::SeqCst);
}

/// Whether a watching thread listens in this process.
pub(super) fn is_watched() -> bool {
    PROCESS.load(Ordering::SeqCst) == process::id()
}

/// Whether a signal has arrived that ends the process.
pub(super) fn is_ending() -> bool {
    ENDING.has_come()
}

/// Whether a watching thread listens in another process: that this one is a child of.
pub(super) fn is_watched_elsewhere() -> bool {
    let process = PROCESS.load(Ordering::SeqCst);
    process != 0 && process != process::id()
}

/// Wakes the watching thread.
pub(super) fn wake(wakeup: Wakeup) {
    let byte = wakeup.byte();
    // SAFETY: the pointer is valid for one byte. The descriptor is never closed, and does not block: when
    // it is full, the thread has enough to wake for.
    let _ = unsafe {
        libc::write(WAKE.load(Ordering::SeqCst), ptr::from_ref(&byte).cast::<c_void>(), 1)
    };
}

/// Sets our handler for a signal, unless the signal is ignored or is ours already. A handler of the
/// program's is called by ours.
pub(super) fn install(signal: c_int) {
    let Some(place) = place(signal) else { return };
    let current = action(signal);
    let replaced = current.sa_sigaction;
    // An action that the kernel resets after one signal is the program's own business.
    let resets = current.sa_flags & libc::SA_RESETHAND != 0;
    // If our handler were set over a handler that calls it, the two would call each other without end.
    let chained = CHAINED[place].load(Ordering::SeqCst) && replaced != libc::SIG_DFL;
    if is_ours(&current) || chained || replaced == libc::SIG_IGN || resets {
        return;
    }
    let mut ours = current;
    ours.sa_sigaction = on_signal as *const () as usize;
    ours.sa_flags = libc::SA_SIGINFO;
    ours.sa_flags |= if replaced == libc::SIG_DFL {
        libc::SA_RESTART | libc::SA_ONSTACK
    } else {
        current.sa_flags & (libc::SA_RESTART | libc::SA_ONSTACK | libc::SA_NODEFER)
    };
    // Before the handler, which reads it. What was there before may be read by a handler that runs now.
    REPLACED[place].store(Box::into_raw(Box::new(current)), Ordering::SeqCst);
    CHAINED[place].store(true, Ordering::SeqCst);
    let before = set_action(signal, &ours);
    // Another thread may have set a handler just now.
    if before.sa_sigaction != current.sa_sigaction && !is_ours(&before) {
        REPLACED[place].store(Box::into_raw(Box::new(before)), Ordering::SeqCst);
    }
}

/// Restores the action that our handler took the place of, if the handler is still ours.
pub(super) fn uninstall(signal: c_int) {
    if let (Some(place), Some(replaced)) = (place(signal), replaced(signal))
        && is_ours(&action(signal))
    {
        set_action(signal, replaced);
        CHAINED[place].store(false, Ordering::SeqCst);
    }
}

/// Who handles this signal in this process.
pub(super) fn handled_by(signal: c_int) -> HandledBy {
    let current = action(signal);
    let handler = if is_ours(&current) {
        replaced(signal).map_or(libc::SIG_DFL, |replaced| replaced.sa_sigaction)
    } else {
        current.sa_sigaction
    };
    if handler != libc::SIG_DFL || is_awaited(signal) {
        HandledBy::Program
    } else if process::id() == 1 {
        HandledBy::Kernel
    } else {
        HandledBy::Nobody
    }
}

/// Ends the process by this signal. Returns where the kernel lets it live.
pub(super) fn end_by(signal: c_int) {
    let mut default = action(signal);
    default.sa_sigaction = libc::SIG_DFL;
    default.sa_flags = 0;
    set_action(signal, &default);
    let mut only = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set, `sigaddset` and `pthread_sigmask` get an initialised
    // one, and `raise` takes any number.
    unsafe {
        libc::sigemptyset(only.as_mut_ptr());
        libc::sigaddset(only.as_mut_ptr(), signal);
        libc::raise(signal);
        // In the handler, and on threads of ours, the signal is blocked: it is delivered here.
        libc::pthread_sigmask(libc::SIG_UNBLOCK, only.as_ptr(), ptr::null_mut());
    }
}

/// Our handler.
extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let errno = errno::errno();
    let handled_by = handled_by(signal);
    if is_watched() {
        // The first signal is for the watching thread. The second ends the process at once, whatever
        // that thread is busy with.
        let repeated = match handled_by {
            HandledBy::Program if is_only_awaited(signal) => ANNOUNCED.repeats(),
            HandledBy::Nobody => ENDING.repeats(),
            HandledBy::Program | HandledBy::Kernel => false,
        };
        if repeated {
            end_by(signal);
        }
        wake(Wakeup::Signal(signal));
    } else if handled_by == HandledBy::Nobody || is_only_awaited(signal) {
        // A child of `fork` that has no telemetry of its own.
        end_by(signal);
    }
    if let Some(replaced) = replaced(signal) {
        call(replaced, signal, info, context);
    }
    errno::set_errno(errno);
}

/// Whether the program handles this signal by `shutdown_signal` and by nothing else.
fn is_only_awaited(signal: c_int) -> bool {
    is_awaited(signal)
        && is_ours(&action(signal))
        && replaced(signal).is_none_or(|replaced| replaced.sa_sigaction == libc::SIG_DFL)
}

/// Calls the handler in an action, if there is one.
fn call(action: &sigaction, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let handler = action.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        return;
    }
    // SAFETY: the action was in force for this signal, and so has the address of a function of the type
    // that its flags tell. The arguments are those that the kernel gave.
    unsafe {
        if action.sa_flags & libc::SA_SIGINFO == 0 {
            let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
            handler(signal);
        } else {
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                std::mem::transmute(handler);
            handler(signal, info, context);
        }
    }
}

fn place(signal: c_int) -> Option<usize> {
    SIGNALS.iter().position(|known| *known == signal)
}

/// The action that our handler has taken the place of.
fn replaced(signal: c_int) -> Option<&'static sigaction> {
    let replaced = REPLACED[place(signal)?].load(Ordering::SeqCst);
    // SAFETY: it is null or comes from a `Box` that is never freed.
    unsafe { replaced.as_ref() }
}

fn is_ours(action: &sigaction) -> bool {
    action.sa_sigaction == on_signal as *const () as usize
}

/// The action that is in force for a signal.
fn action(signal: c_int) -> sigaction {
    let mut action = MaybeUninit::zeroed();
    // SAFETY: without a new action, the call only writes the old one. Were the signal unknown, the action
    // would stay all zeros, which is a valid value: the default action.
    unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    }
}

/// Sets the action for a signal; returns the action that was in force.
fn set_action(signal: c_int, action: &sigaction) -> sigaction {
    let mut before = MaybeUninit::zeroed();
    // SAFETY: the action is valid: it is one that was in force, or has our handler, which is safe to call
    // at any moment. All zeros, which `before` stays if the call fails, is a valid action.
    unsafe {
        libc::sigaction(signal, ptr::from_ref(action), before.as_mut_ptr());
        before.assume_init()
    }
}
