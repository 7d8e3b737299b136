//! The clock of spans: the processor's time-stamp counter where the operating system trusts it itself, or else the
//! system's monotonic clock. Setting the wall clock changes no span's duration.

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod counter;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How old an anchor may be that a local trace starts with, in nanoseconds: a second.
const OLDEST: u64 = 1_000_000_000;

/// How long the counter is compared with the system's clock to know its rate, in nanoseconds: 100 ms. Until it is known,
/// anchors get no older.
const CALIBRATION: u64 = 100_000_000;

/// By how much two rates of the counter may differ, as a share of one: one in so many. They differ by more if the
/// machine slept meanwhile.
const AGREEMENT: u64 = 10_000;

/// A time in nanoseconds since 1970: zero if it is earlier, and the largest number if it is too late.
pub(crate) fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// What the clock said at a known time. All spans of a local trace go by one anchor, so that their durations and
/// their order are right, whatever happens to the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchor {
    ticks: u64,
    /// Nanoseconds since 1970.
    nanos: u64,
    /// How long a tick of the counter is, in nanoseconds times 2³². Zero: the ticks are the nanoseconds of the
    /// system's monotonic clock.
    scale: u64,
}

impl Anchor {
    /// The anchor for a local trace that starts now, and the nanoseconds since 1970.
    #[inline]
    pub(crate) fn start() -> (Self, u64) {
        if let Some(anchor) = CLOCK.anchor() {
            let since = anchor.since();
            let oldest = if anchor.scale == 0 { CALIBRATION } else { OLDEST };
            if (0..oldest.cast_signed()).contains(&since) {
                return (anchor, anchor.nanos.wrapping_add_signed(since));
            }
        }
        CLOCK.set()
    }

    /// Nanoseconds since 1970.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.nanos.wrapping_add_signed(self.since())
    }

    /// Nanoseconds since the anchor; below zero on a processor whose counter is a little behind.
    #[inline]
    fn since(&self) -> i64 {
        if self.scale == 0 {
            return monotonic().wrapping_sub(self.ticks).cast_signed();
        }
        let ticks = counter().wrapping_sub(self.ticks).cast_signed();
        let nanos = (i128::from(ticks) * i128::from(self.scale)) >> 32;
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}

/// The latest anchor, for all threads.
struct Clock {
    /// Odd while a thread writes the anchor. Zero as long as there is none.
    version: AtomicU64,
    ticks: AtomicU64,
    nanos: AtomicU64,
    scale: AtomicU64,
    /// The rate of the counter, as it was measured last, and when that was by both clocks. Only for the thread that
    /// writes.
    rate: AtomicU64,
    rate_ticks: AtomicU64,
    rate_monotonic: AtomicU64,
}

static CLOCK: Clock = Clock::new();

impl Clock {
    const fn new() -> Self {
        Self {
            version: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            scale: AtomicU64::new(0),
            rate: AtomicU64::new(0),
            rate_ticks: AtomicU64::new(0),
            rate_monotonic: AtomicU64::new(0),
        }
    }

    #[inline]
    fn anchor(&self) -> Option<Anchor> {
        let version = self.version.load(Ordering::Acquire);
        let anchor = Anchor {
            ticks: self.ticks.load(Ordering::Relaxed),
            nanos: self.nanos.load(Ordering::Relaxed),
            scale: self.scale.load(Ordering::Relaxed),
        };
        fence(Ordering::Acquire);
        let is_whole = version != 0
            && version.is_multiple_of(2)
            && self.version.load(Ordering::Relaxed) == version;
        is_whole.then_some(anchor)
    }

    /// Takes a new anchor, and keeps it for the traces that start within the next second.
    #[cold]
    fn set(&self) -> (Anchor, u64) {
        // Before the clocks are read: of two threads, the one that read them first must not write last.
        let version = self.version.load(Ordering::Acquire);
        let (ticks, monotonic) = (counter(), monotonic());
        let nanos = nanos(SystemTime::now());
        let mut anchor = Anchor { ticks: monotonic, nanos, scale: 0 };
        let next = version + 1;
        // While another thread writes, this one uses its own anchor. So does a child of `fork` for ever, if a thread of
        // its parent was writing.
        if version.is_multiple_of(2)
            && self
                .version
                .compare_exchange(version, next, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        {
            fence(Ordering::Release);
            if let Some(scale) = self.calibrate(ticks, monotonic) {
                anchor = Anchor { ticks, scale, ..anchor };
            }
            self.ticks.store(anchor.ticks, Ordering::Relaxed);
            self.nanos.store(anchor.nanos, Ordering::Relaxed);
            self.scale.store(anchor.scale, Ordering::Relaxed);
            self.version.store(next + 1, Ordering::Release);
        }
        (anchor, nanos)
    }

    /// The rate of the counter, if it can be trusted and was measured twice with the same result.
    fn calibrate(&self, ticks: u64, monotonic: u64) -> Option<u64> {
        if !is_counter_trusted() {
            return None;
        }
        let rate = self.rate.load(Ordering::Relaxed);
        let passed = ticks.wrapping_sub(self.rate_ticks.load(Ordering::Relaxed));
        let elapsed = monotonic.checked_sub(self.rate_monotonic.load(Ordering::Relaxed))?;
        let is_first = self.rate_ticks.load(Ordering::Relaxed) == 0;
        if !is_first && elapsed < CALIBRATION {
            return None;
        }
        let measured = (u128::from(elapsed) << 32).checked_div(passed.into()).unwrap_or(0);
        let measured = if is_first { 0 } else { u64::try_from(measured).unwrap_or(0) };
        self.rate.store(measured, Ordering::Relaxed);
        self.rate_ticks.store(ticks, Ordering::Relaxed);
        self.rate_monotonic.store(monotonic, Ordering::Relaxed);
        (measured != 0 && measured.abs_diff(rate) <= measured / AGREEMENT).then_some(measured)
    }
}

/// Nanoseconds of the system's monotonic clock since it was first asked for.
fn monotonic() -> u64 {
    static BASE: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BASE.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
#[inline]
fn counter() -> u64 {
    counter::read()
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
fn counter() -> u64 {
    0
}

/// Whether the system's own clock is the counter: it is stable then, and the same on all processors.
fn is_counter_trusted() -> bool {
    static TRUSTED: OnceLock<bool> = OnceLock::new();
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    *TRUSTED.get_or_init(|| {
        cfg!(all(target_arch = "x86_64", target_os = "linux", not(miri)))
            && std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn nanos() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later");
        u64::try_from(since.as_nanos()).expect("it is not much later")
    }

    #[test]
    fn an_anchor_tells_the_time_and_never_goes_back() {
        let clock = Clock::new();
        let check = |_| {
            std::thread::sleep(Duration::from_millis(110));
            let (anchor, mut last) = clock.set();
            for _ in 0..1000 {
                let now = anchor.now();
                assert!(now >= last, "{now} comes after {last}");
                last = now;
            }
            // The thread may be interrupted between any two of these.
            let (before, now, after) = (nanos(), anchor.now(), nanos());
            let expected = before - 50_000_000..after + 50_000_000;
            assert!(expected.contains(&now), "{now} is not in {expected:?}");
            anchor.scale != 0
        };
        // A measurement fails if the thread is interrupted between the two clocks.
        let is_rate_known = (0..if is_counter_trusted() { 50 } else { 3 }).any(check);
        assert_eq!(is_rate_known, is_counter_trusted());
    }

    #[test]
    fn a_rate_that_was_measured_twice_is_known() {
        if !is_counter_trusted() {
            return;
        }
        let clock = Clock::new();
        let second = 1_000_000_000;
        assert_eq!(clock.calibrate(1_000, 0), None);
        assert_eq!(clock.calibrate(1_000 + 2 * second, second), None, "measured once");
        assert_eq!(clock.calibrate(2_000, second + 5), None, "too soon");
        assert_eq!(clock.calibrate(1_000 + 4 * second, 2 * second), Some(1 << 31));
        // The machine sleeps: the counter goes on, the monotonic clock does not.
        assert_eq!(clock.calibrate(1_000 + 9 * second, 3 * second), None);
        assert_eq!(clock.calibrate(1_000 + 11 * second, 4 * second), None);
        assert_eq!(clock.calibrate(1_000 + 13 * second, 5 * second), Some(1 << 31));
    }

    #[test]
    fn rates_agree_up_to_one_in_10_000() {
        if !is_counter_trusted() {
            return;
        }
        let second = CALIBRATION * 10;
        for (more, agrees) in [(second / 20_000, true), (second / 5_000, false)] {
            let clock = Clock::new();
            assert_eq!(clock.calibrate(1, 0), None);
            assert_eq!(clock.calibrate(1 + CALIBRATION, CALIBRATION), None, "measured once");
            let ticks = 1 + CALIBRATION + second + more;
            assert_eq!(clock.calibrate(ticks, CALIBRATION + second).is_some(), agrees);
        }
    }

    #[test]
    fn ticks_are_as_long_as_the_scale_says() {
        const SLACK: u64 = 3_600_000_000_000;

        let ticks = counter().wrapping_sub(2_000_000);
        let anchor = Anchor { ticks, nanos: 5, scale: 1 << 31 };
        assert!((1_000_005..SLACK).contains(&anchor.now()), "{}", anchor.now());
        let ticks = monotonic().wrapping_sub(2_000_000);
        let anchor = Anchor { ticks, nanos: 5, scale: 0 };
        assert!((2_000_005..SLACK).contains(&anchor.now()), "{}", anchor.now());
    }

    #[test]
    fn a_new_trace_gets_the_anchor_of_the_last_second() {
        let (first, _) = Anchor::start();
        let anchors: Vec<Anchor> = (0..1000).map(|_| Anchor::start().0).collect();
        let changes = anchors.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 2, "{changes} anchors after {first:?}");
    }

    #[test]
    fn an_anchor_that_is_being_written_is_not_read() {
        let clock = Clock::new();
        assert_eq!(clock.anchor(), None);
        let (anchor, _) = clock.set();
        assert_eq!(clock.anchor(), Some(anchor));
        clock.version.fetch_add(1, Ordering::Relaxed);
        assert_eq!(clock.anchor(), None);
        let version = clock.version.load(Ordering::Relaxed);
        clock.set();
        assert_eq!(clock.anchor(), None, "another thread writes");
        assert_eq!(clock.version.load(Ordering::Relaxed), version);
    }
}
