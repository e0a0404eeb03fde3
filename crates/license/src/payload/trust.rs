//! Which keys may sign what, and the log's checkpoints.

use serde::{Deserialize, Serialize};
use tenure_core::{DeploymentId, OrgId};

use super::Named;
use crate::bytes::{Hash, PublicKey};

/// Lets products go on if the vendor is gone; held in escrow, signed by the continuity threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuity {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Names this note, so that a later root can revoke it.
    pub id: String,
    /// The vendor that is gone.
    pub vendor: Named<OrgId>,
    /// Product codes it covers.
    pub products: Vec<String>,
    /// Takes effect at the earliest then, seconds UTC.
    pub from: i64,
    /// Licenses run at the latest until then, seconds UTC; at most 13 months after `from`.
    pub until: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Which keys may sign what. N+1 is signed by the thresholds of both N and N+1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRoot {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// From 1, without gaps.
    pub version: u64,
    /// The vendor.
    pub vendor: Named<OrgId>,
    /// When it was made, seconds UTC.
    pub issued_at: i64,
    /// From then on its age is worth a warning, seconds UTC; it stops nothing.
    pub renew_by: i64,
    /// All keys that ever counted, revoked ones included. A reader leaves out those of an algorithm or role it does not
    /// know.
    #[serde(deserialize_with = "crate::root::known_keys")]
    pub keys: Vec<RootKey>,
    /// How many distinct root keys must sign.
    pub root_threshold: u32,
    /// How many distinct continuity keys must sign a continuity note.
    pub continuity_threshold: u32,
    /// Lowest epoch products accept.
    pub epoch_floor: u64,
    /// Continuity notes that no longer count.
    #[serde(default)]
    pub revoked_continuity: Vec<String>,
    /// This deployment runs on a test clock and licenses nothing real.
    #[serde(default)]
    pub test_clock: bool,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// A key and what it may sign. Algorithm and role are pinned here, never read from a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// The public key.
    pub key: PublicKey,
    /// Its algorithm; others than `ed25519` are ignored.
    pub alg: String,
    /// The one thing it may sign.
    pub role: KeyRole,
    /// Signs from then, seconds UTC.
    pub from: i64,
    /// Signs until then, seconds UTC.
    pub until: i64,
    /// Its signatures no longer count, since then; seconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<i64>,
}

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Trust roots; offline.
    Root,
    /// Licenses; online.
    License,
    /// Receipts, answers, checkpoints; online.
    Receipt,
    /// Continuity notes; offline, in escrow.
    Continuity,
}

/// The heads of all audit lanes at one moment. Signed by the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCheckpoint {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Its number, from 1.
    pub k: u64,
    /// `H` of the checkpoint before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Hash>,
    /// Current epoch.
    pub epoch: u64,
    /// The lanes.
    pub heads: Vec<LaneHead>,
    /// When, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The head of one audit lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneHead {
    /// Lane number.
    pub lane: u32,
    /// Entries in it.
    pub n: u64,
    /// Hash of the newest.
    pub head: Hash,
}
