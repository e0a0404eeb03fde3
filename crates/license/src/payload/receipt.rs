//! Receipts: the server durably holds a document or a submission.

use serde::{Deserialize, Serialize};
use tenure_core::{DeploymentId, DocumentId, InstallationId, OrgId, Period, Points, UsageId};

use crate::bytes::Hash;

/// The server's statement that it durably holds a document or a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Epoch the document was first held in.
    pub epoch: u64,
    /// What was received.
    pub subject: ReceiptSubject,
    /// `H` of the document, or the SHA-256 of a submission's lines.
    pub hash: Hash,
    /// When it arrived, seconds UTC; lateness is judged by this.
    pub received_at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// What a receipt is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReceiptSubject {
    /// A document an installation sent.
    Document {
        /// The server's id of it.
        id: DocumentId,
        /// Who sent it.
        ins: InstallationId,
    },
    /// A monthly usage a provider submitted.
    Submission {
        /// The monthly usage.
        usage: UsageId,
        /// Whose it is.
        provider: OrgId,
        /// For which month.
        period: Period,
        /// Which submission of it, from 1.
        number: u32,
        /// Reported points in thousandths.
        reported: Points,
        /// Total points in thousandths.
        total: Points,
    },
}

/// The part of a receipt that rides in a check-in answer, which is itself signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineReceipt {
    /// The server's id of the document.
    pub id: DocumentId,
    /// Epoch the document was first held in.
    pub epoch: u64,
    /// When it first arrived, seconds UTC.
    pub received_at: i64,
}
