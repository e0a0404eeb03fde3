//! A journal in memory, for simulations and for tests that crash, set back and clone a machine.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Journal, JournalError, Loaded};

/// The process dies at one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Before the entry became durable: it is lost.
    Before,
    /// After it became durable, before the caller heard of it.
    After,
}

/// Entries in memory. A clone of the handle is the same disk; [`MemoryJournal::copy`] is another machine's.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Clone, Default)]
struct Disk {
    held: Loaded,
    appended: u64,
    crash: Option<(u64, Crash)>,
    forgets: bool,
}

impl MemoryJournal {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that keeps nothing, for simulated agents that never restart: its memory does not grow.
    pub fn forgetful() -> Self {
        let journal = Self::default();
        journal.with(|disk| disk.forgets = true);
        journal
    }

    /// The disk as it is now, as a machine of its own: a snapshot to go back to, or a clone to run beside.
    #[must_use]
    pub fn copy(&self) -> Self {
        let disk = self.with(|disk| Disk { crash: None, ..disk.clone() });
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// How many appends and compactions were tried in all.
    pub fn appended(&self) -> u64 {
        self.with(|disk| disk.appended)
    }

    /// Lets the process die at append number `n` (counted from 0 over the journal's life, compactions included).
    pub fn crash_at(&self, n: u64, how: Crash) {
        self.with(|disk| disk.crash = Some((n, how)));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Disk) -> T) -> T {
        // A panic under the lock is a failed test; what it held is still what the disk holds.
        act(&mut self.disk.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Disk {
    fn write(&mut self, act: impl FnOnce(&mut Loaded)) -> Result<(), JournalError> {
        let crash = self.crash.filter(|&(at, _)| at == self.appended).map(|(_, how)| how);
        self.appended += 1;
        if crash == Some(Crash::Before) {
            return Err(JournalError::Crashed);
        }
        if !self.forgets {
            act(&mut self.held);
        }
        if crash.is_some() { Err(JournalError::Crashed) } else { Ok(()) }
    }
}

impl Journal for MemoryJournal {
    fn load(&mut self) -> Result<Loaded, JournalError> {
        Ok(self.with(|disk| disk.held.clone()))
    }
    fn append(&mut self, entry: &[u8]) -> Result<(), JournalError> {
        self.with(|disk| disk.write(|held| held.entries.push(entry.to_vec())))
    }
    fn compact(&mut self, snapshot: &[u8]) -> Result<(), JournalError> {
        self.with(|disk| disk.write(|held| *held = Loaded { snapshot: Some(snapshot.to_vec()), entries: Vec::new() }))
    }
    fn wants_compaction(&self) -> bool {
        self.with(|disk| disk.held.entries.len() >= 1000)
    }
}
