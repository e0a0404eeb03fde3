use super::*;

/// Fails the step number `fail_at`, and every one after it: a dead process does nothing more.
#[derive(Debug, Default)]
pub(super) struct Faults {
    fail_at: Option<usize>,
    steps: Vec<Step>,
}

impl Faults {
    pub(super) fn hit(&mut self, step: Step) -> Result<(), JournalError> {
        self.steps.push(step);
        match self.fail_at {
            Some(at) if self.steps.len() > at => Err(JournalError::Crashed),
            _ => Ok(()),
        }
    }
}

/// Runs a fixed life: three entries, a compaction to their concatenation, two more. Returns what was acknowledged.
fn live(dir: &Path, fail_at: Option<usize>) -> (Vec<u8>, Option<u8>, Vec<Step>) {
    let mut acknowledged = Vec::new();
    let mut journal = match FileJournal::open_with(dir, Faults { fail_at, steps: Vec::new() }) {
        Ok(journal) => journal,
        Err(JournalError::Crashed) => return (acknowledged, None, Vec::new()),
        Err(error) => panic!("{error}"),
    };
    for entry in 1..=5u8 {
        if entry == 4 && journal.compact(&acknowledged).is_err() {
            return (acknowledged, None, Vec::new());
        }
        if journal.append(&[entry]).is_err() {
            return (acknowledged, Some(entry), Vec::new());
        }
        acknowledged.push(entry);
    }
    (acknowledged, None, journal.faults.steps)
}

fn replay(loaded: Loaded) -> Vec<u8> {
    loaded.snapshot.into_iter().chain(loaded.entries).flatten().collect()
}

#[test]
fn a_crash_at_any_step_keeps_all_that_was_acknowledged() {
    let whole = tempfile::tempdir().unwrap();
    let (acknowledged, _, steps) = live(whole.path(), None);
    assert_eq!(acknowledged, [1, 2, 3, 4, 5]);
    assert!(steps.len() > 30, "the life is too short to say anything: {} steps", steps.len());
    for (fail_at, step) in steps.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let (acknowledged, under_way, _) = live(dir.path(), Some(fail_at));
        let unlocked = replay(read_unlocked(dir.path()).unwrap().unwrap_or_default());
        let mut journal = FileJournal::open(dir.path()).unwrap();
        let held = replay(journal.load().unwrap());
        let more: Vec<u8> = acknowledged.iter().copied().chain(under_way).collect();
        assert!(held == acknowledged || held == more, "step {fail_at} {step:?}: {held:?}");
        assert_eq!(unlocked, held, "a reader without the lock sees the same");
        // And the journal works on.
        journal.append(&[9]).unwrap();
        drop(journal);
        let held_again = replay(FileJournal::open(dir.path()).unwrap().load().unwrap());
        assert_eq!(held_again, [held, vec![9]].concat(), "step {fail_at}");
        let files = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, 2, "a segment and the lock, nothing left behind after step {fail_at}");
    }
}

#[test]
fn c8_one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(dir.path()).unwrap();
    assert!(matches!(FileJournal::open(dir.path()), Err(JournalError::Locked(_))));
    drop(journal);
    FileJournal::open(dir.path()).unwrap();
}

#[test]
fn damage_before_the_tail_is_said_never_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    live(dir.path(), None);
    let path = segment_path(dir.path(), 2);
    let whole = fs::read(&path).unwrap();
    // In the snapshot frame, whose checksum covers it; two entries follow.
    let mut bytes = whole.clone();
    bytes[33] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(FileJournal::open(dir.path()), Err(JournalError::Damaged { offset: 0, .. })));
    assert_eq!(fs::read(&path).unwrap(), bytes, "the damaged file is left as it is");
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(replay(FileJournal::open(dir.path()).unwrap().load().unwrap()), [1, 2, 3, 4]);
}

#[test]
fn a_compaction_that_cannot_begin_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = FileJournal::open(dir.path()).unwrap();
    journal.append(b"a").unwrap();
    // A directory in the way of the new segment's temporary name, as a full disk would be.
    let in_the_way = segment_path(dir.path(), 2).with_extension("tmp");
    fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(journal.compact(b"A"), Err(JournalError::Io { .. })));
    journal.append(b"b").unwrap();
    fs::remove_dir(&in_the_way).unwrap();
    // In the way of its name: then nobody knows which of the two is the journal, until it is opened again.
    fs::create_dir(segment_path(dir.path(), 2)).unwrap();
    assert!(matches!(journal.compact(b"A"), Err(JournalError::Io { .. })));
    assert!(matches!(journal.append(b"c"), Err(JournalError::Poisoned)));
    drop(journal);
    fs::remove_dir(segment_path(dir.path(), 2)).unwrap();
    let mut journal = FileJournal::open(dir.path()).unwrap();
    assert_eq!(replay(journal.load().unwrap()), b"ab");
    assert!(matches!(journal.append(&vec![0; MAX_PAYLOAD + 1]), Err(JournalError::TooLarge { .. })));
}
