//! The one place where the server's process asks the machine for time and chance.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
};

use rustix::time::{ClockId, clock_gettime};
use tenure_core::{Boot, BootId, Clock, Rng, Timestamp};

/// The machine's clocks.
pub struct SystemClock {
    boot: BootId,
}

impl SystemClock {
    /// Reads the boot id once.
    pub fn new() -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| uuid::Uuid::try_parse(text.trim()).ok())
            .unwrap_or_default();
        Self { boot: BootId(boot) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

fn micros(clock: ClockId) -> i64 {
    let at = clock_gettime(clock);
    at.tv_sec * 1_000_000 + at.tv_nsec / 1000
}

/// Microseconds since the machine started: for how long something took, never for a date.
pub(crate) fn elapsed_us() -> i64 {
    micros(ClockId::Boottime)
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(micros(ClockId::Realtime))
    }
    fn boot(&self) -> Boot {
        Boot { id: self.boot, elapsed_us: micros(ClockId::Boottime) }
    }
}

/// A clock whose time is the instant written in a file; only for deployments made with `--test-clock`.
///
/// The file holds one RFC 3339 instant. It is read at each look, so whoever moves it moves the deployment.
pub struct FileClock {
    path: PathBuf,
    last: AtomicI64,
    boot: BootId,
}

/// The test clock's file is missing or does not hold an instant.
#[derive(Debug, thiserror::Error)]
#[error("the test clock {path} must hold one instant such as 2026-01-31T10:00:00Z")]
pub struct FileClockError {
    path: PathBuf,
}

impl FileClock {
    /// Opens the clock; its file must hold an instant now.
    pub fn open(path: &Path) -> Result<Self, FileClockError> {
        let at = read_instant(path).ok_or_else(|| FileClockError { path: path.to_owned() })?;
        let boot = SystemClock::new().boot;
        Ok(Self { path: path.to_owned(), last: AtomicI64::new(at.as_micros()), boot })
    }
}

fn read_instant(path: &Path) -> Option<Timestamp> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

impl Clock for FileClock {
    fn now(&self) -> Timestamp {
        // A reader may meet the file between truncation and writing: the last instant read stands in.
        match read_instant(&self.path) {
            Some(at) => {
                self.last.store(at.as_micros(), Ordering::Relaxed);
                at
            }
            None => Timestamp::from_micros(self.last.load(Ordering::Relaxed)),
        }
    }
    fn world(&self) -> Timestamp {
        Timestamp::from_micros(micros(ClockId::Realtime))
    }
    fn boot(&self) -> Boot {
        Boot { id: self.boot, elapsed_us: self.now().as_micros() }
    }
}

/// A clock that starts at a given instant and runs at the machine's pace: the demo's.
pub struct OffsetClock {
    system: SystemClock,
    offset_us: AtomicI64,
}

impl OffsetClock {
    /// A clock that says `at` now.
    pub fn starting_at(at: Timestamp) -> Self {
        let clock = Self { system: SystemClock::new(), offset_us: AtomicI64::new(0) };
        clock.set(at);
        clock
    }
    /// Moves the clock so that it says `at` now.
    pub fn set(&self, at: Timestamp) {
        self.offset_us.store(at.micros_since(self.system.now()), Ordering::SeqCst);
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        self.system.now().plus_micros(self.offset_us.load(Ordering::SeqCst))
    }
    fn world(&self) -> Timestamp {
        self.system.now()
    }
    fn boot(&self) -> Boot {
        let boot = self.system.boot();
        Boot { id: boot.id, elapsed_us: boot.elapsed_us + self.offset_us.load(Ordering::SeqCst) }
    }
}

/// The machine's source of chance.
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the one door chance comes through")]
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}
