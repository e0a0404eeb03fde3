//! Receipts, and reports as they were saved.

use serde::{Deserialize, Serialize};
use tenure_core::{DocumentId, InstallationId, OrgId, Period, Points, Timestamp, UsageId};
use utoipa::ToSchema;

/// A signed receipt of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionReceipt {
    /// The monthly usage.
    #[schema(value_type = String)]
    pub usage: UsageId,
    /// Whose.
    #[schema(value_type = String)]
    pub provider: OrgId,
    /// Which month.
    #[schema(value_type = String)]
    pub period: Period,
    /// Which submission of it, from 1.
    pub number: u32,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// SHA-256 of the lines, in hexadecimal.
    pub lines_hash: String,
    /// Reported points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub reported: Points,
    /// Total points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub total: Points,
    /// The receipt as signed: a DSSE envelope, verifiable with the trust root.
    #[schema(value_type = Object)]
    pub envelope: serde_json::Value,
}

/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A submission of the month.
    Submission,
    /// A server's report.
    Report,
}

/// A receipt in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptSummary {
    /// What it is for.
    pub kind: ReceiptKind,
    /// Which submission, or which revision of the report.
    pub number: u32,
    /// The server that sent the report.
    #[schema(value_type = Option<String>)]
    pub installation: Option<InstallationId>,
    /// Its host name as last told; empty for a submission.
    pub name: String,
    /// The server's id of the report.
    #[schema(value_type = Option<String>)]
    pub document: Option<DocumentId>,
    /// The report came after the month was submitted.
    pub late: bool,
    /// Hash of the report, or of the submission's lines, in hexadecimal.
    pub hash: String,
    /// When it first arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

/// The receipts of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptList {
    /// Submissions first, then reports.
    pub items: Vec<ReceiptSummary>,
}

/// A report with its receipt, as a file to keep: `tenure report verify FILE` tells whether it is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedReport {
    /// The report as it was sent: a DSSE envelope.
    #[schema(value_type = Object)]
    pub report: serde_json::Value,
    /// The public key it is signed with, in base64.
    pub key: Option<String>,
    /// The receipt: a DSSE envelope.
    #[schema(value_type = Object)]
    pub receipt: serde_json::Value,
    /// Every version of the server's trust root, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub roots: Vec<serde_json::Value>,
}

/// A submission with its receipt, as a file to keep: `tenure report verify FILE` tells whether it is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedSubmission {
    /// The lines exactly as they were hashed: the SHA-256 of this text is the receipt's.
    pub lines: String,
    /// The receipt: a DSSE envelope.
    #[schema(value_type = Object)]
    pub receipt: serde_json::Value,
    /// Every version of the server's trust root, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub roots: Vec<serde_json::Value>,
}
