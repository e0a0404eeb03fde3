//! The `restic` collector: a workload is a host (or a host's path) that has snapshots in a repository.
//!
//! It asks `restic snapshots --json --no-lock`, which only reads and disturbs no running backup. Every snapshot is a
//! sighting at its own time, so each day is counted also when the agent was off.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use serde::{Deserialize, Serialize};
use tenure_core::Timestamp;

use super::{BadRow, CollectError, Collector, Sighting, checked, process};

/// The largest listing that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

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
        let mut command = Command::new(&self.config.program);
        command
            .args(["snapshots", "--json", "--no-lock", "--repo", &self.config.repository, "--password-file"])
            .arg(&self.config.password_file)
            .envs(&self.config.environment);
        let timeout = Duration::from_secs(u64::from(self.config.timeout_secs));
        process::output(command, timeout, MAX_BYTES).map_err(CollectError::Unavailable)
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
    fn collect(&mut self, _: Timestamp, _: Timestamp) -> Result<Vec<Sighting>, CollectError> {
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

#[cfg(test)]
mod tests;
