//! Where counts come from: collectors tell which workloads were protected, and when.
//!
//! A collector never counts. It tells *sightings*; the keeper journals them and counts each UTC day from the journal, so
//! that a workload whose backups were removed since still counts on the days on which it was protected.

mod command;
mod fetch;
mod file;
mod http;
mod process;
mod prometheus;
mod restic;
mod rows;
#[cfg(test)]
mod scripted;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tenure_core::{Clock, Timestamp};

pub use command::{CommandCollector, CommandConfig};
pub use file::{FileCollector, FileConfig, FileFormat};
pub use http::{HttpCollector, HttpConfig};
pub use prometheus::{PrometheusCollector, PrometheusConfig, SampleValue};
pub use restic::{Identity, ResticCollector, ResticConfig};

use crate::network::{Network, NetworkError};

/// The longest id, company, type or variant, in bytes.
pub const MAX_TEXT: usize = 200;
/// How many bad rows an error names; the rest are counted.
const NAMED_ROWS: usize = 10;

/// One workload was protected at one moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sighting {
    /// Stable id of the workload, unique within its type and variant.
    pub id: String,
    /// The customer it belongs to; empty where the product does not know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// Workload type code of the catalog.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// When it was protected.
    pub at: Timestamp,
}

/// A source of sightings.
pub trait Collector: Send {
    /// What it is called in errors and on status pages.
    fn name(&self) -> String;

    /// Whether it tells protections of past days too. Then days on which the agent was off can still be counted;
    /// otherwise a day counts as observed only when it was collected before the next one ended.
    fn looks_back(&self) -> bool;

    /// What is protected at `now`. Sightings before `since` are already known; telling them again does no harm.
    ///
    /// # Errors
    /// The day stays uncounted until a later collection succeeds; good rows beside bad ones are kept.
    fn collect(&mut self, since: Timestamp, now: Timestamp) -> Result<Vec<Sighting>, CollectError>;
}

/// Why a collection failed.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The source could not be read.
    #[error("{0}")]
    Unavailable(String),
    /// Some rows make no sense. The others are given.
    #[error("{}", name_rows(bad))]
    BadRows {
        /// Rows that do.
        good: Vec<Sighting>,
        /// Rows that do not.
        bad: Vec<BadRow>,
    },
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Where it is, as `line 7` or `item 7`.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

fn name_rows(bad: &[BadRow]) -> String {
    let named = bad.iter().take(NAMED_ROWS).map(|row| format!("{}: {}", row.place, row.problem));
    let more = bad.len().checked_sub(NAMED_ROWS).filter(|more| *more > 0).map(|more| format!("and {more} more"));
    named.chain(more).collect::<Vec<_>>().join("; ")
}

/// Which collector, and its options: a `[[collector]]` table of the agent's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CollectorConfig {
    /// A CSV or JSON file that the product writes.
    File(FileConfig),
    /// A restic repository.
    Restic(ResticConfig),
    /// A program that prints JSON.
    Command(CommandConfig),
    /// A JSON API.
    Http(HttpConfig),
    /// A metric of a text-format endpoint.
    Prometheus(PrometheusConfig),
}

impl CollectorConfig {
    /// The collector it describes.
    ///
    /// # Errors
    /// Names the key that cannot be used.
    pub fn build(&self, network: &Network, clock: &Arc<dyn Clock>) -> Result<Box<dyn Collector>, NetworkError> {
        Ok(match self {
            Self::File(config) => Box::new(FileCollector::new(config.clone())),
            Self::Restic(config) => Box::new(ResticCollector::new(config.clone())),
            Self::Command(config) => Box::new(CommandCollector::new(config.clone())),
            Self::Http(config) => Box::new(HttpCollector::new(config.clone(), network, Arc::clone(clock))?),
            Self::Prometheus(config) => Box::new(PrometheusCollector::new(config.clone(), network, Arc::clone(clock))?),
        })
    }

    /// The word of `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Restic(_) => "restic",
            Self::Command(_) => "command",
            Self::Http(_) => "http",
            Self::Prometheus(_) => "prometheus",
        }
    }

    /// Checks what types alone do not say.
    ///
    /// # Errors
    /// One sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::File(_) | Self::Restic(_) => Ok(()),
            Self::Command(config) => config.check(),
            Self::Http(config) => config.check(),
            Self::Prometheus(config) => config.check(),
        }
    }

    /// Files that hold its secrets.
    pub(crate) fn secret_files(&self) -> Vec<&Path> {
        match self {
            Self::File(_) | Self::Command(_) => Vec::new(),
            Self::Restic(config) => vec![&config.password_file],
            Self::Http(HttpConfig { token_file, .. }) | Self::Prometheus(PrometheusConfig { token_file, .. }) => {
                token_file.iter().map(PathBuf::as_path).collect()
            }
        }
    }
}

/// Checks a field of a sighting: not too long, printable, and not empty where it must not be.
fn checked(name: &str, value: &str, required: bool) -> Result<String, String> {
    if required && value.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    if value.len() > MAX_TEXT {
        return Err(format!("`{name}` is longer than {MAX_TEXT} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("`{name}` holds a control character"));
    }
    Ok(value.to_owned())
}
