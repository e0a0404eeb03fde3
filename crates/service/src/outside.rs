//! What is kept outside the database, beside the keys: how far the log went, its checkpoints, and what was taken back.
//!
//! A database can be put back to an earlier day; these files cannot be put back with it. `serve` refuses a database that is
//! older than they say (C7), `audit verify` takes them for witnesses, and `restore` does again what was revoked since the
//! backup (E4).
//!
//! ```text
//! high-water.json              epoch, lanes, newest checkpoint: replaced atomically
//! checkpoints-2026-11.jsonl    a signed checkpoint a line
//! revocations.jsonl            an entry of the log a line: what was revoked, disabled, ended, retired
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenure_core::{DeploymentId, OrgId, Period, Timestamp};
use tenure_license::{AuditCheckpoint, CheckpointRef, Envelope, Hash, json::decode_payload};
use tenure_store::{
    Store, audit,
    rows::{checkpoint, deployment, revocation},
};

use crate::{Result, Service, Witness, checkpoint as anchor};

/// Verbs of the log that take something back, give back what was taken, or say what somebody's access took since.
pub(crate) const REVOKING: &[&str] = &[
    "agreement.terminated",
    "installation.replaced",
    "installation.retired",
    "installation.voided",
    "keys.rotated",
    "license.deleted",
    "license.revoked",
    "organization.activated",
    "organization.deactivated",
    "person.activated",
    "person.deactivated",
    "person.recovery_code_used",
    "person.recovery_codes_made",
    "person.role_changed",
    "person.second_step_on",
    "person.second_step_removed",
    "person.second_step_reset",
    "token.revoked",
    "token.rotated",
];
/// Rows read at once.
const PAGE: u32 = 500;
/// Checkpoints written in one go; a server that was long without its files catches up in several.
const MAX_CHECKPOINTS: u32 = 500;

/// How far the log went, as last seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HighWater {
    /// Whose.
    pub deployment: DeploymentId,
    /// The epoch.
    pub epoch: u64,
    /// Entries by lane.
    pub lanes: BTreeMap<u32, u64>,
    /// The newest checkpoint.
    pub checkpoint: Option<CheckpointRef>,
    /// When it was written down.
    pub at: Timestamp,
}

/// Something that was taken back, as the log told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// What was done, as `token.revoked`.
    pub verb: String,
    /// To what: the text form of an id.
    pub subject: String,
    /// Whose it was.
    pub org: Option<OrgId>,
    /// The particulars.
    #[serde(default)]
    pub data: Value,
}

/// The database is not the one these files were written beside.
#[derive(Debug, thiserror::Error)]
pub enum Stale {
    /// It is older.
    #[error(
        "this database is older than what was written beside the keys ({0}); put back from a backup, it must be restored: run `tenure restore`"
    )]
    Older(String),
    /// It belongs to another deployment.
    #[error("the files beside the keys belong to deployment {0}; give the right --witness directory")]
    Foreign(DeploymentId),
    /// It went another way after a common past.
    #[error(
        "checkpoint {0} of this database is another than the one written beside the keys; see `tenure audit verify`"
    )]
    Another(u64),
}

/// The directory with the files.
#[derive(Clone)]
pub struct Outside {
    dir: PathBuf,
    known: Arc<Mutex<Option<HighWater>>>,
}

impl Outside {
    /// In a directory, which is made when something is first written.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, known: Arc::default() }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How far the log went; none before it was first written.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn high_water(&self) -> io::Result<Option<HighWater>> {
        match fs::read(self.dir.join("high-water.json")) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What was taken back, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read. A line cut off by a crash is left out.
    pub fn revocations(&self) -> io::Result<Vec<Revocation>> {
        let mut found = Vec::new();
        for line in lines(&self.dir.join("revocations.jsonl"))? {
            found.extend(serde_json::from_str::<Revocation>(&line?).ok());
        }
        Ok(found)
    }

    /// The checkpoints written down, as witnesses.
    ///
    /// # Errors
    /// When a file cannot be read. A line cut off by a crash is left out.
    pub fn witnesses(&self) -> io::Result<Vec<Witness>> {
        let mut found = Vec::new();
        for path in self.checkpoint_files()? {
            for line in lines(&path)? {
                found.extend(Envelope::from_json(line?.as_bytes()).ok().and_then(witness_of));
            }
        }
        Ok(found)
    }

    fn checkpoint_files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("checkpoints-") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Refuses a database that is older than what was written down here (C7).
    ///
    /// # Errors
    /// When the database or the files cannot be read. `Ok(Some(..))` says why the database must not be served.
    pub async fn judge(&self, store: &Store) -> Result<Option<Stale>, OutsideError> {
        let Some(known) = self.high_water()? else { return Ok(None) };
        let mut read = store.read().await.map_err(crate::Error::from)?;
        let Some(row) = deployment::find(&mut read).await.map_err(crate::Error::from)? else { return Ok(None) };
        if row.id != known.deployment {
            return Ok(Some(Stale::Foreign(known.deployment)));
        }
        if row.epoch < known.epoch {
            return Ok(Some(Stale::Older(format!("epoch {} instead of {}", row.epoch, known.epoch))));
        }
        if row.epoch > known.epoch {
            return Ok(None);
        }
        let ends = audit::ends(&mut read).await.map_err(crate::Error::from)?;
        for (lane, n) in &known.lanes {
            let here = ends.iter().find(|end| end.lane == *lane).map_or(0, |end| end.n);
            if here < *n {
                return Ok(Some(Stale::Older(format!("{here} entries in lane {lane} instead of {n}"))));
            }
        }
        if let Some(seen) = &known.checkpoint {
            let held = checkpoint::find(&mut read, seen.k).await.map_err(crate::Error::from)?;
            if held.is_none_or(|held| held.hash != *seen.hash.as_bytes()) {
                return Ok(Some(Stale::Another(seen.k)));
            }
        }
        Ok(None)
    }

    /// Writes down what is new: checkpoints, what was taken back, and last how far the log went. Whoever runs a server
    /// calls it now and then; it reads the database only when there is a new checkpoint.
    ///
    /// # Errors
    /// When the database cannot be read or a file not be written; the next call tries again.
    pub async fn keep(&self, service: &Service) -> Result<(), OutsideError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = match known {
            Some(known) => Some(known),
            None => self.high_water()?,
        };
        let known = known.filter(|known| known.epoch == service.deployment().epoch);
        let Some(newest) = service.newest_checkpoint().get() else { return Ok(()) };
        let seen = known.as_ref().and_then(|known| known.checkpoint.clone());
        if seen.as_ref().is_some_and(|seen| seen.k >= newest.k) {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
            return Ok(());
        }
        let rows = {
            let mut read = service.store().read().await.map_err(crate::Error::from)?;
            checkpoint::after(&mut read, seen.map_or(0, |seen| seen.k), MAX_CHECKPOINTS)
                .await
                .map_err(crate::Error::from)?
        };
        // Those that are signed, up to the first that is not yet.
        let signed: Vec<_> = rows.iter().map_while(|row| Some((row, anchor::envelope(row)?))).collect();
        let Some((last, _)) = signed.last() else { return Ok(()) };
        let payload = anchor::read(last)?;
        let mut lanes = known.map(|known| known.lanes).unwrap_or_default();
        let revoked = revoked(service.store(), &lanes, &payload).await?;
        lanes.extend(payload.heads.iter().map(|head| (head.lane, head.n)));
        let next = HighWater {
            deployment: service.deployment().id,
            epoch: service.deployment().epoch,
            lanes,
            checkpoint: Some(CheckpointRef { k: last.k, hash: Hash::from_bytes(last.hash) }),
            at: service.now(),
        };
        let checkpoints = signed.iter().map(|(row, envelope)| (Period::of(row.at), envelope.to_json())).collect();
        let (this, written) = (self.clone(), next.clone());
        let done = tokio::task::spawn_blocking(move || this.write(checkpoints, &revoked, &written)).await;
        done.map_err(|_| io::Error::other("writing was given up"))??;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        Ok(())
    }

    /// Checkpoints and revocations first: the high water says that they are on the disk.
    fn write(&self, checkpoints: Vec<(Period, String)>, revoked: &[Revocation], next: &HighWater) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let mut months = BTreeMap::<Period, String>::new();
        for (month, line) in checkpoints {
            let text = months.entry(month).or_default();
            text.push_str(&line);
            text.push('\n');
        }
        for (month, text) in months {
            append(&self.dir.join(format!("checkpoints-{month}.jsonl")), &text)?;
        }
        let mut text = String::new();
        for revocation in revoked {
            text.push_str(&serde_json::to_string(revocation)?);
            text.push('\n');
        }
        if !text.is_empty() {
            append(&self.dir.join("revocations.jsonl"), &text)?;
        }
        self.set_high_water(next)
    }

    /// Replaces the high water.
    ///
    /// # Errors
    /// When it cannot be written durably; then the old one stands.
    pub fn set_high_water(&self, next: &HighWater) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        replace(&self.dir.join("high-water.json"), &serde_json::to_vec(next)?)
    }
}

impl Service {
    /// Has what the log says kept beside the keys from now on; the first directory counts.
    pub fn keep_outside(&self, outside: Outside) {
        // A second one would be a mistake of the caller that hurts nobody.
        let _ = self.outside().set(outside);
    }
}

/// Writes what is new to the files beside the keys, where there are any. Whoever runs a server calls it each second.
///
/// # Errors
/// As [`Outside::keep`].
pub async fn keep_outside(service: &Service) -> Result<(), OutsideError> {
    match service.outside().get() {
        Some(outside) if service.must_go_on().is_ok() => outside.keep(service).await,
        _ => Ok(()),
    }
}

/// What went wrong with the files or the database beside them.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// A file.
    #[error("the files beside the keys cannot be read or written")]
    Io(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Service(#[from] crate::Error),
}

/// A signed checkpoint as a witness. Its signature is verified where it is heard.
fn witness_of(envelope: Envelope) -> Option<Witness> {
    let payload: AuditCheckpoint = decode_payload(&envelope.payload).ok()?;
    Some(Witness { k: payload.k, hash: envelope.hash(), epoch: payload.epoch, envelope: Some(envelope) })
}

/// Reads witnesses from a file's text: signed checkpoints, one a line; or `{k, hash, epoch}`, alone or under `checkpoint`
/// as `tenure agent status --json` prints it.
pub fn parse_witnesses(text: &str) -> Option<Vec<Witness>> {
    #[derive(Deserialize)]
    struct Seen {
        k: u64,
        hash: Hash,
        #[serde(default = "first")]
        epoch: u64,
    }
    const fn first() -> u64 {
        1
    }
    let one = |text: &str| -> Option<Witness> {
        if let Some(witness) = Envelope::from_json(text.as_bytes()).ok().and_then(witness_of) {
            return Some(witness);
        }
        let mut value: Value = serde_json::from_str(text).ok()?;
        if let Some(inner) = value.get_mut("checkpoint") {
            value = inner.take();
        }
        let seen: Seen = serde_json::from_value(value).ok()?;
        Some(Witness { k: seen.k, hash: seen.hash, epoch: seen.epoch, envelope: None })
    };
    if let Some(witness) = one(text) {
        return Some(vec![witness]);
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    (!lines.is_empty()).then(|| lines.into_iter().map(one).collect::<Option<Vec<_>>>()).flatten()
}

/// What was taken back between two ends of the log.
async fn revoked(store: &Store, from: &BTreeMap<u32, u64>, to: &AuditCheckpoint) -> Result<Vec<Revocation>> {
    let mut found = Vec::new();
    for head in &to.heads {
        let mut after = from.get(&head.lane).copied().unwrap_or(0);
        loop {
            let mut read = store.read().await?;
            let page = revocation::of_lane(&mut read, head.lane, (after, head.n), REVOKING, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.n;
            found.extend(page.into_iter().map(|row| {
                let body = row.body.and_then(|body| serde_json::from_str::<Value>(&body).ok());
                let data = body.and_then(|mut body| body.get_mut("data").map(Value::take)).unwrap_or_default();
                Revocation { at: row.at, verb: row.verb, subject: row.subject, org: row.org, data }
            }));
        }
    }
    found.sort_by_key(|revocation| revocation.at);
    Ok(found)
}

fn lines(path: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<String>>>> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(BufReader::new(file).lines())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(error) => Err(error),
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    let mut file = File::create(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}
