//! The audit chain: who changed what, in an order nobody can rewrite unnoticed.
//!
//! Two kinds of entry: an *action* for every change by a person, token, job or verdict, and one *ingest* entry per
//! commit for all that products sent in it, holding the RFC 6962 Merkle root of its leaves. Entries lie in lanes, one on
//! SQLite and 16 on PostgreSQL; within a lane each entry's hash covers the one before:
//!
//! ```text
//! body_hash = SHA-256(salt || body)
//! hash      = SHA-256(0x01 || lane: u32 BE || n: u64 BE || prev || body_hash)      prev of n = 1: 32 zero bytes
//! ```
//!
//! Erasing personal data deletes body and salt and leaves the chain whole.

mod lane;
pub mod merkle;
mod verify;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenure_core::{InstallationId, OrgId, Timestamp};

pub(crate) use lane::{Head, STATEMENTS as LANE_STATEMENTS, SealError, seal};
pub(crate) use verify::STATEMENTS as VERIFY_STATEMENTS;
pub use verify::{
    LaneEnd, LaneReport, Problem, ProblemKind, Report, Watch, drop_leaves, ends, ends_at, newest_at, newest_before,
    verify, verify_watched,
};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The verb of ingest entries.
pub const INGEST: &str = "ingest";

/// One action: written by [`Tx::audit`](crate::Tx::audit) in the transaction of the change itself.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Who: the text form of a user, token or job id, or a word such as `server`.
    pub actor: String,
    /// What was done, as `license.assign`.
    pub verb: &'static str,
    /// To what: the text form of an id.
    pub subject: String,
    /// The organization whose pages show it.
    pub org: Option<OrgId>,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// The particulars, old and new values.
    pub body: serde_json::Value,
}

/// The chained body: everything a page may claim about an entry is in it, so that it is covered by the hash.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) verb: String,
    pub(crate) subject: String,
    pub(crate) org: Option<OrgId>,
    pub(crate) data: serde_json::Value,
}

/// The particulars of an ingest entry.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IngestBody {
    pub(crate) count: u64,
    /// Lower-case hex.
    pub(crate) root: String,
}

/// The leaf of one accepted request: `SHA-256(0x00 || ins || seq: u64 BE || H(request) || H(answer) || H(document)…)`.
pub fn leaf(installation: InstallationId, seq: u64, request: &Hash, answer: &Hash, documents: &[Hash]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(installation.uuid().as_bytes());
    hash.update(seq.to_be_bytes());
    hash.update(request);
    hash.update(answer);
    for document in documents {
        hash.update(document);
    }
    hash.finalize().into()
}

pub(crate) fn body_hash(salt: &[u8], body: &str) -> Hash {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}

pub(crate) fn entry_hash(lane: u32, n: u64, prev: &Hash, body_hash: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(lane.to_be_bytes()).chain_update(n.to_be_bytes());
    hash.chain_update(prev).chain_update(body_hash).finalize().into()
}
