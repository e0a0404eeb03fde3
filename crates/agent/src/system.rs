//! The clock and the chance of a real machine, and the clock that a test moves.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use rustix::time::{ClockId, clock_gettime};
use tenure_core::{Boot, BootId, Clock, Rng, Timestamp};
use uuid::Uuid;

const BOOT_ID_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's clocks: `CLOCK_REALTIME` for the wall, `CLOCK_BOOTTIME` (which counts through suspend) for the boot.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    boot: BootId,
}

impl SystemClock {
    /// Reads which boot this is.
    ///
    /// # Errors
    /// When the kernel does not tell its boot id.
    pub fn new() -> Result<Self, ClockError> {
        let text = fs::read_to_string(BOOT_ID_FILE).map_err(|source| ClockError::unreadable(BOOT_ID_FILE, source))?;
        let id = Uuid::try_parse(text.trim()).map_err(|_| ClockError::BootId)?;
        Ok(Self { boot: BootId(id) })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(micros(ClockId::Realtime))
    }
    fn boot(&self) -> Boot {
        Boot { id: self.boot, elapsed_us: micros(ClockId::Boottime) }
    }
}

fn micros(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1000)
}

/// The operating system's chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "this is the system implementation that everything else is given")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes once it has booted");
    }
}

/// A clock that a test moves: it reads the instant from a file, as `2026-01-31T10:00:00Z`.
///
/// Only for deployments whose trust root says that they run on a test clock. The boot clock follows the file; all
/// processes on one file share one boot.
#[derive(Debug)]
pub struct TestClock {
    path: PathBuf,
    /// What was read last, for the moment in which the file is being rewritten.
    last: Mutex<Timestamp>,
}

impl TestClock {
    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be read or does not hold an instant.
    pub fn open(path: &Path) -> Result<Self, ClockError> {
        let text = fs::read_to_string(path).map_err(|source| ClockError::unreadable(path, source))?;
        let now = text.trim().parse().map_err(|_| ClockError::NotAnInstant(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), last: Mutex::new(now) })
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let mut last = self.last.lock().expect("no holder of this lock panics");
        let read = fs::read_to_string(&self.path).ok().and_then(|text| text.trim().parse().ok());
        *last = read.unwrap_or(*last);
        *last
    }
    fn boot(&self) -> Boot {
        Boot { id: BootId(Uuid::nil()), elapsed_us: self.now().as_micros() }
    }
}

/// Why there is no clock.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The kernel's boot id is not an id.
    #[error("the kernel's boot id is not a UUID")]
    BootId,
    /// The test clock's file does not hold an instant.
    #[error("{0} does not hold an instant such as 2026-01-31T10:00:00Z")]
    NotAnInstant(PathBuf),
}

impl ClockError {
    fn unreadable(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.into(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_runs_and_knows_its_boot() {
        let clock = SystemClock::new().unwrap();
        let (now, boot) = (clock.now(), clock.boot());
        assert!(now > "2026-01-01T00:00:00Z".parse().unwrap());
        assert!(boot.elapsed_us > 0 && clock.boot().elapsed_us >= boot.elapsed_us);
        assert_eq!(clock.boot().id, SystemClock::new().unwrap().boot().id);
        let rng = SystemRng;
        assert_ne!(rng.nonce(), rng.nonce());
    }

    #[test]
    fn a_test_clock_follows_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clock");
        assert!(matches!(TestClock::open(&path), Err(ClockError::Unreadable { .. })));
        fs::write(&path, "yesterday").unwrap();
        assert!(matches!(TestClock::open(&path), Err(ClockError::NotAnInstant(_))));
        fs::write(&path, "2026-01-31T10:00:00Z\n").unwrap();
        let clock = TestClock::open(&path).unwrap();
        let before = clock.boot();
        fs::write(&path, "2026-02-01T10:00:00Z").unwrap();
        assert_eq!(clock.boot().elapsed_us - before.elapsed_us, 86_400_000_000);
        fs::write(&path, "").unwrap();
        assert_eq!(clock.now().to_string(), "2026-02-01T10:00:00Z", "a half-written file does not stop time");
    }
}
