//! The product's memory: append-only entries, each durable before anything that depends on it leaves the host.
//!
//! A [`Journal`] knows nothing of licenses: it keeps opaque entries in order behind an optional snapshot of all that
//! came before. [`FileJournal`] is the real one; [`MemoryJournal`] serves simulations and tests, which can let it die
//! at any append and open it again.

mod file;
mod frame;
mod memory;

use std::{io, path::PathBuf};

pub(crate) use file::sync_dir;
pub use file::{FileJournal, read_unlocked};
pub use memory::{Crash, MemoryJournal};

/// What a journal holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Everything up to the newest compaction, in the form its writer gave it.
    pub snapshot: Option<Vec<u8>>,
    /// The entries since, oldest first.
    pub entries: Vec<Vec<u8>>,
}

/// Durable, ordered memory of one installation.
pub trait Journal: Send {
    /// Everything held: what was acknowledged, and at most one entry more that was under way when the process died.
    fn load(&mut self) -> Result<Loaded, JournalError>;

    /// Adds an entry. It is durable when this returns `Ok`; after an error it may or may not be there at the next
    /// [`Journal::load`], whole or not at all.
    fn append(&mut self, entry: &[u8]) -> Result<(), JournalError>;

    /// Puts `snapshot` in place of everything held so far, in one step.
    fn compact(&mut self, snapshot: &[u8]) -> Result<(), JournalError>;

    /// Whether enough was appended since the last compaction to make the next one worth its cost.
    fn wants_compaction(&self) -> bool;
}

/// Why a journal cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process holds the lock (a daemon runs, or another command).
    #[error("another process uses the journal in {0}")]
    Locked(PathBuf),
    /// Bytes that were once durable are no longer what was written.
    #[error("the journal file {path} is damaged at byte {offset}; restore the data directory from a backup")]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the first unreadable frame begins.
        offset: u64,
    },
    /// An earlier write failed in a way that leaves unknown what the disk holds; open the journal again.
    #[error("an earlier write to the journal failed; it must be opened again")]
    Poisoned,
    /// An entry larger than any may be.
    #[error("an entry of {size} bytes is larger than the {limit} one may have")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The file system refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's word.
        #[source]
        source: io::Error,
    },
    /// A test let the process die here.
    #[error("stopped by a test")]
    Crashed,
}
