//! The `restic` collector: a workload is a host (or a host's path) that has snapshots in a repository.
//!
//! It asks `restic snapshots --json --no-lock`, which only reads and disturbs no running backup. Every snapshot is a
//! sighting at its own time, so each day is counted also when the agent was off.

use std::{
    collections::BTreeMap,
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tenure_core::Timestamp;

use super::{BadRow, CollectError, Collector, Sighting, checked};

/// The largest listing that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// How much of an error message is kept.
const MAX_MESSAGE: usize = 300;

/// Options of the `restic` collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResticConfig {
    /// The repository, as restic's `--repo` takes it.
    pub repository: String,
    /// File that holds the repository's password.
    pub password_file: PathBuf,
    /// Workload type code of the catalog, as `server`.
    pub workload: String,
    /// Variant code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// What a workload is.
    #[serde(default)]
    pub identity: Identity,
    /// The customer whose repository this is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// The program to run.
    #[serde(default = "default_program")]
    pub program: PathBuf,
    /// How long one listing may take, in seconds.
    #[serde(default = "default_timeout_secs")]
    pub timeout_secs: u32,
    /// Environment for it, such as credentials of the storage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

fn default_program() -> PathBuf {
    "restic".into()
}
fn default_timeout_secs() -> u32 {
    600
}

/// What counts as one workload of a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Each host name.
    #[default]
    Host,
    /// Each set of paths of each host.
    HostAndPath,
}

/// Reads snapshot times from a restic repository.
#[derive(Debug)]
pub struct ResticCollector {
    config: ResticConfig,
}

impl ResticCollector {
    /// A collector for the repository; it need not be reachable yet.
    pub fn new(config: ResticConfig) -> Self {
        Self { config }
    }

    fn list(&self) -> Result<Vec<u8>, CollectError> {
        let program = self.config.program.display();
        let child = Command::new(&self.config.program)
            .args(["snapshots", "--json", "--no-lock", "--repo", &self.config.repository, "--password-file"])
            .arg(&self.config.password_file)
            .envs(&self.config.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| CollectError::Unavailable(format!("cannot run {program}: {error}")))?;
        let timeout = Duration::from_secs(u64::from(self.config.timeout_secs));
        run_bounded(child, timeout).map_err(|problem| CollectError::Unavailable(format!("{program}: {problem}")))
    }

    fn sightings_of(&self, snapshot: Snapshot) -> Result<Sighting, String> {
        let at = snapshot.time.parse().map_err(|error| format!("its time is {error}"))?;
        let id = match self.config.identity {
            Identity::Host => snapshot.hostname,
            Identity::HostAndPath => format!("{}:{}", snapshot.hostname, snapshot.paths.join(",")),
        };
        Ok(Sighting {
            id: checked("hostname", &id, true)?,
            company: self.config.company.clone(),
            workload: self.config.workload.clone(),
            variant: self.config.variant.clone(),
            at,
        })
    }
}

/// The part of `restic snapshots --json` that counts.
#[derive(Deserialize)]
struct Snapshot {
    time: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    short_id: String,
}

impl Collector for ResticCollector {
    fn name(&self) -> String {
        format!("restic {}", self.config.repository)
    }
    fn looks_back(&self) -> bool {
        true
    }
    fn collect(&mut self, _: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let json = self.list()?;
        // An empty repository is `[]` or, in some versions, `null`.
        let snapshots: Option<Vec<Snapshot>> = serde_json::from_slice(&json)
            .map_err(|error| CollectError::Unavailable(format!("the snapshot list is unreadable: {error}")))?;
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for snapshot in snapshots.unwrap_or_default() {
            let place = format!("snapshot {}", snapshot.short_id);
            match self.sightings_of(snapshot) {
                Ok(sighting) => good.push(sighting),
                Err(problem) => bad.push(BadRow { place, problem }),
            }
        }
        if bad.is_empty() { Ok(good) } else { Err(CollectError::BadRows { good, bad }) }
    }
}

/// What the child wrote, within a time and a size; or one sentence.
fn run_bounded(mut child: Child, timeout: Duration) -> Result<Vec<u8>, String> {
    let stdout = read_aside(child.stdout.take(), MAX_BYTES + 1);
    let stderr = read_aside(child.stderr.take(), 64 * 1024);
    // Its output ends when it does, or when it is killed for taking too long or saying too much.
    let output = stdout.recv_timeout(timeout).map_err(|_| format!("no answer within {} s", timeout.as_secs()));
    let too_much = output.as_ref().is_ok_and(|output| output.len() as u64 > MAX_BYTES);
    if output.is_err() || too_much {
        // An error here only says that it has ended by itself.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let output = output?;
    if too_much {
        return Err(format!("it lists more than {MAX_BYTES} bytes"));
    }
    if status.success() {
        return Ok(output);
    }
    let message = stderr.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
    let message = String::from_utf8_lossy(&message);
    let message = message.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("; ");
    let message: String = message.chars().take(MAX_MESSAGE).collect();
    Err(format!("{status}: {message}"))
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe never blocks the child.
fn read_aside(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is worth having; the exit status says the rest.
            let _ = pipe.take(limit).read_to_end(&mut bytes);
        }
        // Nobody listens any more after a time-out.
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests;
