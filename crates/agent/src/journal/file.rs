//! The journal on disk: one segment file that grows, replaced by a fresh one at each compaction.
//!
//! `journal-0000000001.log` begins with a frame that holds the snapshot (empty at first), entries follow. A compaction
//! writes the next segment under a temporary name, syncs it, renames it, syncs the directory, and only then removes the
//! old one; the segment with the highest number is the journal.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{
    Journal, JournalError, Loaded,
    frame::{self, MAX_PAYLOAD},
};

/// Below this a compaction is not worth a file.
const MIN_GROWTH: u64 = 1024 * 1024;
/// How often a reader without the lock looks again when a compaction takes the file away under it.
const READ_ATTEMPTS: usize = 20;

/// The journal of a daemon or an embedding product. Holds an exclusive lock on its directory as long as it lives.
#[derive(Debug)]
pub struct FileJournal {
    dir: PathBuf,
    segment: Segment,
    poisoned: bool,
    faults: Faults,
    _lock: File,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    path: PathBuf,
    file: File,
    frames: u64,
    snapshot_bytes: u64,
    bytes: u64,
}

impl FileJournal {
    /// Opens the journal in `dir`, making both if they do not exist.
    ///
    /// Cuts off a write that was under way when the last process died, and syncs what is left before anybody acts on it.
    ///
    /// # Errors
    /// [`JournalError::Locked`] while another process has it; [`JournalError::Damaged`] when bytes that were durable
    /// cannot be read.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        Self::open_with(dir, Faults::default())
    }

    fn open_with(dir: &Path, mut faults: Faults) -> Result<Self, JournalError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io_error("make", dir))?;
        let lock = lock(dir)?;
        let numbers = segments(dir)?;
        remove_leftovers(dir, &numbers)?;
        let segment = match numbers.last() {
            Some(&number) => Segment::open(dir, number)?,
            None => Unnamed::write(dir, 1, &[], &mut faults)?.publish(dir, &mut faults)?,
        };
        Ok(Self { dir: dir.to_owned(), segment, poisoned: false, faults, _lock: lock })
    }

    fn write_frame(&mut self, entry: &[u8]) -> Result<(), JournalError> {
        let segment = &mut self.segment;
        let frame = frame::encode(segment.frames, entry);
        self.faults.hit(Step::BeforeWrite)?;
        if self.faults.hit(Step::HalfWritten).is_err() {
            segment.file.write_all(&frame[..frame.len() / 2]).map_err(io_error("write", &segment.path))?;
            return Err(JournalError::Crashed);
        }
        if let Err(source) = segment.file.write_all(&frame) {
            // Nothing was acknowledged: if the half frame goes away again (a full disk), the journal is as before.
            let back = segment.file.set_len(segment.bytes).and_then(|()| segment.file.seek(io::SeekFrom::End(0)));
            self.poisoned = back.is_err();
            return Err(io_error("write", &segment.path)(source));
        }
        self.faults.hit(Step::Written)?;
        if let Err(source) = segment.file.sync_data() {
            // After a failed sync nobody knows what is on the disk; trying again could claim what is not so.
            self.poisoned = true;
            return Err(io_error("sync", &segment.path)(source));
        }
        segment.frames += 1;
        segment.bytes += frame.len() as u64;
        self.faults.hit(Step::Synced)
    }
}

impl Journal for FileJournal {
    fn load(&mut self) -> Result<Loaded, JournalError> {
        let bytes = fs::read(&self.segment.path).map_err(io_error("read", &self.segment.path))?;
        loaded(&self.segment.path, &bytes)
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        if entry.len() > MAX_PAYLOAD {
            return Err(JournalError::TooLarge { size: entry.len(), limit: MAX_PAYLOAD });
        }
        self.write_frame(entry)
    }

    fn compact(&mut self, snapshot: &[u8]) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        if snapshot.len() > MAX_PAYLOAD {
            return Err(JournalError::TooLarge { size: snapshot.len(), limit: MAX_PAYLOAD });
        }
        let unnamed = Unnamed::write(&self.dir, self.segment.number + 1, snapshot, &mut self.faults)?;
        // From the rename on, the old segment must not grow any more: the new one may already be the journal.
        let fresh = unnamed.publish(&self.dir, &mut self.faults).inspect_err(|_| self.poisoned = true)?;
        let old = std::mem::replace(&mut self.segment, fresh);
        // Only tidiness: an old segment that stays is removed at the next open.
        if let Err(error) = fs::remove_file(&old.path) {
            tracing::warn!(path = %old.path.display(), %error, "cannot remove the old journal segment");
        }
        self.faults.hit(Step::OldRemoved)
    }

    fn wants_compaction(&self) -> bool {
        let growth = self.segment.bytes - self.segment.snapshot_bytes;
        growth > MIN_GROWTH.max(2 * self.segment.snapshot_bytes)
    }
}

/// Reads a journal that another process may be writing to. `None` when there is none.
///
/// A write under way is not seen; nothing is changed.
pub fn read_unlocked(dir: &Path) -> Result<Option<Loaded>, JournalError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Some(&number) = segments(dir)?.last() else { return Ok(None) };
        let path = segment_path(dir, number);
        match fs::read(&path) {
            Ok(bytes) => return loaded(&path, &bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < READ_ATTEMPTS => {}
            Err(error) => return Err(io_error("read", &path)(error)),
        }
    }
}

impl Segment {
    fn open(dir: &Path, number: u64) -> Result<Self, JournalError> {
        let path = segment_path(dir, number);
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(io_error("open", &path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io_error("read", &path))?;
        let scan = frame::scan(&bytes);
        let Some(snapshot) = scan.payloads.first().filter(|_| scan.rest_is_torn) else {
            return Err(JournalError::Damaged { path, offset: scan.good as u64 });
        };
        let snapshot_bytes = frame::encode(0, snapshot).len() as u64;
        if scan.good < bytes.len() {
            tracing::info!(path = %path.display(), cut_bytes = bytes.len() - scan.good, "cut off an unfinished write");
            file.set_len(scan.good as u64).map_err(io_error("truncate", &path))?;
        }
        file.seek(io::SeekFrom::Start(scan.good as u64)).map_err(io_error("seek in", &path))?;
        // The last frame may have been written and not synced; from here on it counts.
        file.sync_all().map_err(io_error("sync", &path))?;
        Ok(Self { number, file, frames: scan.payloads.len() as u64, snapshot_bytes, bytes: scan.good as u64, path })
    }
}

/// A new segment, whole on the disk, that nobody would take for the journal yet.
struct Unnamed {
    temporary: PathBuf,
    segment: Segment,
}

impl Unnamed {
    fn write(dir: &Path, number: u64, snapshot: &[u8], faults: &mut Faults) -> Result<Self, JournalError> {
        let path = segment_path(dir, number);
        let temporary = path.with_extension("tmp");
        let frame = frame::encode(0, snapshot);
        faults.hit(Step::BeforeSegment)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(io_error("make", &temporary))?;
        if faults.hit(Step::SegmentHalfWritten).is_err() {
            file.write_all(&frame[..frame.len() / 2]).map_err(io_error("write", &temporary))?;
            return Err(JournalError::Crashed);
        }
        file.write_all(&frame).map_err(io_error("write", &temporary))?;
        faults.hit(Step::SegmentWritten)?;
        file.sync_all().map_err(io_error("sync", &temporary))?;
        faults.hit(Step::SegmentSynced)?;
        let bytes = frame.len() as u64;
        Ok(Self { temporary, segment: Segment { number, path, file, frames: 1, snapshot_bytes: bytes, bytes } })
    }

    fn publish(self, dir: &Path, faults: &mut Faults) -> Result<Segment, JournalError> {
        fs::rename(&self.temporary, &self.segment.path).map_err(io_error("rename", &self.temporary))?;
        faults.hit(Step::SegmentRenamed)?;
        sync_dir(dir)?;
        faults.hit(Step::DirectorySynced)?;
        Ok(self.segment)
    }
}

/// Makes renames and removals in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error("sync", dir))
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

/// Numbers of the segments in `dir`, ascending; none when the directory does not exist.
fn segments(dir: &Path) -> Result<Vec<u64>, JournalError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("list", dir)(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error("list", dir))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".log"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("journal-{number:010}.log"))
}

fn remove_leftovers(dir: &Path, numbers: &[u64]) -> Result<(), JournalError> {
    let old = numbers.iter().rev().skip(1).map(|&number| segment_path(dir, number));
    let next = numbers.last().map_or(1, |number| number + 1);
    for path in old.chain([segment_path(dir, next).with_extension("tmp")]) {
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("remove", &path)(error)),
        }
    }
    Ok(())
}

fn loaded(path: &Path, bytes: &[u8]) -> Result<Loaded, JournalError> {
    let scan = frame::scan(bytes);
    let Some((snapshot, entries)) = scan.payloads.split_first().filter(|_| scan.rest_is_torn) else {
        return Err(JournalError::Damaged { path: path.to_owned(), offset: scan.good as u64 });
    };
    Ok(Loaded {
        snapshot: (!snapshot.is_empty()).then(|| snapshot.to_vec()),
        entries: entries.iter().map(|entry| entry.to_vec()).collect(),
    })
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    move |source| JournalError::Io { doing, path: path.to_owned(), source }
}

/// The moments at which a test lets the process die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    BeforeWrite,
    HalfWritten,
    Written,
    Synced,
    BeforeSegment,
    SegmentHalfWritten,
    SegmentWritten,
    SegmentSynced,
    SegmentRenamed,
    DirectorySynced,
    OldRemoved,
}

#[cfg(not(test))]
#[derive(Debug, Default)]
struct Faults {}

#[cfg(not(test))]
impl Faults {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the test build counts steps and fails one")]
    fn hit(&mut self, _: Step) -> Result<(), JournalError> {
        Ok(())
    }
}

#[cfg(test)]
use tests::Faults;

#[cfg(test)]
mod tests;
