//! The body of a function, closure or `async` block, as the spans of the blocks inside it see it.
//!
//! A block's span is current until the block is left. Control flow stays what it is, so nobody sees
//! the value that a block is left early with, by `?`, `return` or a panic: such a block waits for
//! the function round it, its frame, and ends with the outcome of that. When the function goes on
//! instead, the block was left by `break` or `continue`, and is settled.
//!
//! What always holds:
//!
//! - The contexts of a thread's open blocks lie in `STACK` in the order in which the blocks were entered, and only
//!   the latest is ever taken off.
//! - A frame that started while something recorded is in `STACK` exactly while it runs. The spans of the blocks that were left early in it lie above its
//!   mark, and go with it: it ends or settles them before the frame round it runs on.
//! - A frame that pauses takes the contexts of its open blocks along: no other task sees them. If it is in `STACK`, it
//!   has settled what was left in it.
//! - The macro settles wherever a `break` or `continue` may have left a block and the function goes on: after a
//!   statement, at the start of a loop's body, and after an expression that is left by `break`.
//! - Nothing of the program's runs while `STACK` is borrowed: contexts and spans are dropped outside of it.

use std::cell::RefCell;
use std::fmt::Debug;
use std::num::NonZero;
use std::thread::panicking;
use std::time::SystemTime;

use opentelemetry::{Context, ContextGuard};

use super::enabled;
use super::ending::Ending;
use super::panic::Panic;
use crate::context;
use crate::outcome::{Failure, Outcome};

thread_local!(static STACK: RefCell<Stack> = const { RefCell::new(Stack::new()) });

/// What the frames that run on this thread hold, the innermost last.
#[derive(Debug)]
struct Stack {
    /// Open blocks keep their contexts attached.
    open: Vec<ContextGuard>,
    exits: Vec<EarlyExit>,
    frames: Vec<RunningFrame>,
}

/// A frame that runs.
#[derive(Debug)]
struct RunningFrame {
    /// Where the blocks that were left in it start, plus one.
    first_exit: NonZero<usize>,
    /// What is leaving it by `?`, where the type of its value is not known.
    failure: Option<Box<Failure>>,
}

impl Stack {
    const fn new() -> Self {
        Self { open: Vec::new(), exits: Vec::new(), frames: Vec::new() }
    }

    fn with<T>(change: impl FnOnce(&mut Self) -> T) -> Option<T> {
        STACK.try_with(|stack| change(&mut stack.borrow_mut())).ok()
    }
}

/// The span of a block that was left early.
pub(super) trait LeftEarly: Debug {
    /// Ends the span: it was left at this time, and its body ended like this.
    fn end(&mut self, ending: &Ending<'_>, at: SystemTime);
}

/// The span of a block that was left early, and when.
#[derive(Debug)]
struct EarlyExit {
    span: Box<dyn LeftEarly>,
    at: SystemTime,
}

impl EarlyExit {
    fn end(mut self, ending: &Ending<'_>) {
        self.span.end(ending, self.at);
    }
}

/// A block is entered: its context is current until [`leave_block`].
pub(super) fn enter_block(attached: ContextGuard) {
    Stack::with(|stack| stack.open.push(attached));
}

/// The block that was entered last is left.
pub(super) fn leave_block() {
    // Detached outside of the borrow: it may drop anything.
    drop(Stack::with(|stack| stack.open.pop()));
}

/// The span of a block that was left early waits for the outcome of the frame that runs. Where none does, it is dropped.
pub(super) fn wait_for_frame(span: Box<dyn LeftEarly>, at: SystemTime) {
    let mut exit = Some(EarlyExit { span, at });
    Stack::with(|stack| {
        if !stack.frames.is_empty() {
            stack.exits.extend(exit.take());
        }
    });
    drop(exit);
}

/// The blocks of one body: a function's, a closure's or an `async` block's.
#[derive(Debug, Default)]
pub(super) struct BodyFrame {
    /// What was left while it last ran, until it is known how that came out.
    finished: Option<RunningFrame>,
    /// The contexts of the blocks that are open while it does not run.
    paused: Vec<Context>,
}

/// Where a frame's open blocks start while it runs, plus one. Small, so that what runs in a span needs a register for
/// it and no memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameMark(NonZero<u32>);

impl FrameMark {
    /// All that is open on the thread: for a body that started when nothing was recorded, and so
    /// nothing could be open.
    pub(super) const UNRECORDED: Self = Self(NonZero::<u32>::MIN);

    fn new(open: usize) -> Self {
        let open = u32::try_from(open).unwrap_or(u32::MAX);
        Self(NonZero::<u32>::MIN.saturating_add(open))
    }

    fn open(self) -> usize {
        usize::try_from(self.0.get() - 1).unwrap_or(usize::MAX)
    }
}

impl RunningFrame {
    fn new(left: usize) -> Self {
        Self { first_exit: NonZero::<usize>::MIN.saturating_add(left), failure: None }
    }

    fn first_exit(&self) -> usize {
        self.first_exit.get() - 1
    }
}

impl BodyFrame {
    pub(super) fn enter(&mut self) -> FrameMark {
        let open = Stack::with(|stack| {
            stack.frames.push(RunningFrame::new(stack.exits.len()));
            stack.open.len()
        });
        for context in std::mem::take(&mut self.paused) {
            if let Some(attached) = context::attach(context) {
                Stack::with(|stack| stack.open.push(attached));
            }
        }
        FrameMark::new(open.unwrap_or_default())
    }

    pub(super) fn leave(&mut self, entered: FrameMark, pauses: bool) {
        if pauses {
            end_exited_blocks();
            self.pause(entered);
        }
        let finished = Stack::with(|stack| stack.frames.pop()).flatten();
        let has_early_exits = |running: &RunningFrame| {
            running.failure.is_some()
                || Stack::with(|stack| stack.exits.len() > running.first_exit()).unwrap_or_default()
        };
        self.finished = finished.filter(|running| !pauses && has_early_exits(running));
    }

    /// Takes its open blocks off the thread, until it is entered again.
    pub(super) fn pause(&mut self, entered: FrameMark) {
        let open = entered.open();
        while let Some(attached) =
            Stack::with(|stack| (stack.open.len() > open).then(|| stack.open.pop())).flatten()
        {
            self.paused.push(Context::current());
            drop(attached);
        }
        self.paused.reverse();
    }

    pub(super) fn is_paused(&self) -> bool {
        !self.paused.is_empty()
    }

    /// Whether nothing was left in it, and nothing is open.
    pub(super) fn is_empty(&self) -> bool {
        self.finished.is_none() && self.paused.is_empty()
    }

    pub(super) fn has_early_exits(&self) -> bool {
        let left = |finished: &RunningFrame| {
            Stack::with(|stack| stack.exits.len() > finished.first_exit())
        };
        self.finished.as_ref().and_then(left).unwrap_or_default()
    }

    /// Ends the blocks that were left early, and hands out what was seen leaving them.
    pub(super) fn end(&mut self, ending: &Ending<'_>) -> Option<Box<Failure>> {
        let finished = self.finished.take()?;
        let left = finished.first_exit();
        let failure = finished.failure;
        let ending = ending.or(failure.as_deref());
        for left in take_early_exits(left) {
            left.end(&ending);
        }
        failure
    }
}

/// The frame of a closure whose value nobody asks, until this is dropped.
#[derive(Debug)]
pub struct FrameGuard {
    /// `None` where nothing records.
    frame: Option<(BodyFrame, FrameMark)>,
    was_panicking: bool,
}

/// Starts a frame, that ends with the scope it is in.
pub fn enter_frame() -> FrameGuard {
    let enter = || {
        let mut frame = BodyFrame::default();
        let entered = frame.enter();
        (frame, entered)
    };
    FrameGuard { frame: enabled::is_enabled().then(enter), was_panicking: panicking() }
}

impl Drop for FrameGuard {
    fn drop(&mut self) {
        let Some((mut frame, entered)) = self.frame.take() else { return };
        frame.leave(entered, false);
        let panic = (panicking() && !self.was_panicking).then(Panic::unwinding);
        frame.end(&panic.as_ref().map_or(Ending::Value(None), Ending::Panic));
    }
}

fn take_early_exits(first: usize) -> Vec<EarlyExit> {
    let take = |stack: &mut Stack| stack.exits.drain(first.min(stack.exits.len())..).collect();
    Stack::with(take).unwrap_or_default()
}

/// The frame that runs goes on: the blocks that were left in it were left by nothing bad.
pub fn end_exited_blocks() {
    let first = Stack::with(|stack| {
        let frame = stack.frames.last_mut()?;
        frame.failure = None;
        Some(frame.first_exit())
    });
    for left in first.flatten().map_or_else(Vec::new, take_early_exits) {
        left.end(&Ending::Value(None));
    }
}

/// Looks at a value that may leave the frame that runs, by the `?` after it.
pub fn observe_exit<T>(value: &T, look: impl FnOnce(&T) -> Outcome) {
    if Stack::with(|stack| stack.frames.is_empty()).unwrap_or(true) {
        return;
    }
    let failure = look(value).failure;
    if failure.is_some() {
        Stack::with(|stack| {
            if let Some(frame) = stack.frames.last_mut() {
                frame.failure = failure;
            }
        });
    }
}
