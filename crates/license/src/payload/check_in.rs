//! The weekly question and its answer, which is the chain's link.

use serde::{Deserialize, Serialize};
use tenure_core::{BootId, Day, DeploymentId, InstallationId, update::UpdateResult};

use super::{HostFacts, InlineReceipt, LicenseRef, Versions, Window};
use crate::bytes::{Challenge, Hash, Nonce, PublicKey};

/// One check-in of an installation (protocol, 2). Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInRequest {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// Strictly growing; gaps allowed; below 2^53.
    pub seq: u64,
    /// `H` of the last answer held; for the first request, of the activation answer.
    pub prev: Hash,
    /// `H` of own requests sent since, at most 16.
    #[serde(default)]
    pub unanswered: Vec<Hash>,
    /// Fresh chance, so that clones never build equal requests.
    pub nonce: Nonce,
    /// `H` of each document that rides along, at most 64.
    #[serde(default)]
    pub docs: Vec<Hash>,
    /// The license held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lic: Option<LicenseRef>,
    /// Version of the trust root held.
    pub root: u64,
    /// The product's clocks.
    pub clock: ClockFacts,
    /// The host.
    pub host: HostFacts,
    /// Newest head of the daily chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailyHead>,
    /// The software.
    pub versions: Versions,
    /// Whether the product installs new licenses by itself.
    pub auto_update: bool,
    /// A person asked for it (*Update now*).
    #[serde(default)]
    pub update_now: bool,
    /// Only in a rejoin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejoin: Option<Rejoin>,
    /// Only in a key rotation: the key that takes over; the envelope is then signed by both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_key: Option<PublicKey>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The product's clocks at the time of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFacts {
    /// What the product takes for now, seconds UTC.
    pub effective: i64,
    /// What the system clock says, seconds UTC.
    pub system: i64,
    /// This boot.
    pub boot: BootId,
}

/// A point of the chain of counted days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyHead {
    /// The day that was closed last.
    pub day: Day,
    /// `H` of that [`JournalDay`].
    pub head: Hash,
}

/// What a rejoin shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejoin {
    /// As the server gave it.
    pub challenge: Challenge,
    /// `H` of the answer really held; that answer rides along.
    pub held: Hash,
}

/// The server's answer to a check-in and the next link of the chain. Signed by the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInAnswer {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Current epoch.
    pub epoch: u64,
    /// The installation answered.
    pub ins: InstallationId,
    /// Grows by one at each rejoin that leaves a branch behind.
    pub branch: u64,
    /// The sequence number answered.
    pub seq: u64,
    /// `H` of the request answered.
    pub req: Hash,
    /// The head before.
    pub prev: Hash,
    /// Fresh chance.
    pub nonce: Nonce,
    /// Server time, seconds UTC.
    pub at: i64,
    /// What the license update came to.
    pub result: UpdateResult,
    /// What became of each document, in the request's order.
    #[serde(default)]
    pub docs: Vec<DocOutcome>,
    /// The newest license; its envelope rides beside the answer when the product does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseRef>,
    /// When to check in next.
    pub next: Window,
    /// When to send the report of the running period, after its end.
    pub report: Window,
    /// After a restore: documents receipted after this are wanted again. Seconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Set when this answers a rejoin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejoined: Option<RejoinClass>,
    /// Newest version of the trust root.
    pub root: u64,
    /// Newest audit checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cp: Option<CheckpointRef>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Names an audit checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    /// Its number.
    pub k: u64,
    /// `H` of its payload.
    pub hash: Hash,
}

/// How a rejoin was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejoinClass {
    /// The server had been restored; it took the product's word.
    ServerRestored,
    /// Two machines are alive under one key.
    Clone,
    /// The machine was set back to an earlier state.
    SetBack,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocOutcome {
    /// `H` of the document.
    pub hash: Hash,
    /// Taken or not.
    pub outcome: Outcome,
    /// Present whenever the document is durably held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<InlineReceipt>,
    /// With `conflict`: the revision held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub have_revision: Option<u32>,
}

/// Whether a document was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Durably held and counted.
    Accepted,
    /// Held before; the receipt is the one of then.
    Repeated,
    /// Held; it becomes a later line because the month was already submitted or closed.
    Late,
    /// Held beside another document of the same identity; a person or the next revision settles it.
    Conflict,
    /// Held, not counted: the installation is suspended as a clone.
    NotCounted,
    /// Refused: its period has not ended by the server's clock.
    NotYet,
    /// Refused: its period is too old, or before the activation.
    TooOld,
    /// Refused: it is not a document of this installation, or not well formed.
    Invalid,
    /// Refused: the request named it and it did not ride along.
    Absent,
}

/// A request does not continue the chain. Signed by the receipt key, answered with 409.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfStep {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The installation.
    pub ins: InstallationId,
    /// `H` of the request this answers.
    pub req: Hash,
    /// Current epoch.
    pub epoch: u64,
    /// Sequence number the server holds.
    pub seq: u64,
    /// What a rejoin must contain; it dies when the head moves.
    pub challenge: Challenge,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}
