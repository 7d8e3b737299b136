//! Whether telemetry is up, and whose turn it is to change that.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use super::running_app::RunningApp;
use crate::lock::Unpoisoned;
use crate::{internal_threads, recorder};

static STATE: Mutex<AppState> = Mutex::new(AppState::Down);
/// Told whenever somebody has changed the state.
static CHANGED: Condvar = Condvar::new();

/// How long an exiting process waits for a thread that sets telemetry up.
#[cfg(unix)]
const LONGEST_SET_UP: Duration = Duration::from_secs(4);

thread_local!(static CHANGES: Cell<bool> = const { Cell::new(false) });

pub(super) enum AppState {
    Down,
    Up(RunningApp),
    /// A thread sets telemetry up, or shuts it down. That runs code of the program's own, which may
    /// ask for telemetry: nobody holds the lock meanwhile. A shutdown has a deadline.
    Changing {
        deadline: Option<Instant>,
    },
}

impl AppState {
    /// When nobody changes it. `None` to whoever does so on this very thread or is waited for by who
    /// does, and when it has taken longer than this.
    pub(super) fn wait_until_stable(patience: Duration) -> Option<MutexGuard<'static, Self>> {
        recorder::start_over_in_child();
        let changing = |state: &mut Self| matches!(state, Self::Changing { .. });
        let waited_for = is_changed_here() || internal_threads::is_current_marked();
        let patience = if waited_for { Duration::ZERO } else { patience };
        let (state, _) = CHANGED.wait_timeout_while(lock(), patience, changing).unpoisoned();
        Some(state).filter(|state| !matches!(**state, Self::Changing { .. }))
    }

    /// As it is now, unless somebody looks at it.
    pub(super) fn try_lock() -> Option<MutexGuard<'static, Self>> {
        match STATE.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Waits until telemetry is down, for so long at most.
    #[cfg(unix)]
    pub(super) fn wait_until_down(patience: Duration) {
        let up = |state: &mut Self| !matches!(state, Self::Down);
        drop(CHANGED.wait_timeout_while(lock(), patience, up));
    }

    /// Waits this long for another thread that sets telemetry up or shuts it down.
    #[cfg(unix)]
    pub(super) fn wait_for_other_thread(patience: Duration) {
        if !is_changed_here() {
            let changing = |state: &mut Self| matches!(state, Self::Changing { .. });
            drop(CHANGED.wait_timeout_while(lock(), patience, changing));
        }
    }

    /// Whether telemetry is down.
    #[cfg(unix)]
    pub(super) fn is_down() -> bool {
        matches!(*lock(), Self::Down)
    }

    /// How long the last flush may take, as far as that is known: not while telemetry is set up.
    #[cfg(unix)]
    pub(super) fn flush_budget() -> Option<Duration> {
        match &*lock() {
            Self::Up(app) => Some(app.flush),
            Self::Changing { deadline: Some(deadline) } => {
                Some(deadline.saturating_duration_since(Instant::now()))
            }
            Self::Changing { deadline: None } => Some(LONGEST_SET_UP),
            Self::Down => None,
        }
    }

    /// In a child of `fork`, which does not have the thread that may have been changing the state. Returns whether
    /// telemetry is up.
    pub(super) fn start_over() -> bool {
        let Some(mut state) = Self::try_lock() else { return false };
        match &*state {
            Self::Up(app) => app.pipeline.start_over(),
            Self::Changing { .. } if !is_changed_here() => *state = Self::Down,
            Self::Changing { .. } | Self::Down => {}
        }
        matches!(*state, Self::Up(_))
    }
}

/// A change of the state by this thread. It is over when this is dropped.
pub(super) struct Change {
    /// What it becomes.
    pub(super) becomes: AppState,
}

impl Change {
    /// Starts it; with what the state was.
    pub(super) fn of(
        mut state: MutexGuard<'static, AppState>,
        deadline: Option<Instant>,
    ) -> (AppState, Self) {
        CHANGES.set(true);
        let before = std::mem::replace(&mut *state, AppState::Changing { deadline });
        (before, Self { becomes: AppState::Down })
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        CHANGES.set(false);
        *lock() = std::mem::replace(&mut self.becomes, AppState::Down);
        CHANGED.notify_all();
    }
}

fn lock() -> MutexGuard<'static, AppState> {
    STATE.lock().unpoisoned()
}

fn is_changed_here() -> bool {
    CHANGES.get()
}
