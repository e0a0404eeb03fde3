//! Monthly usages, what goes beyond the lines: corrections, receipts, evidence, timeline, differences, invoices.

use serde::{Deserialize, Serialize};
use tenure_core::{
    CompanyId, DocumentId, InstallationId, LicenseId, LineId, Period, Points, ProductId, Timestamp, Weight,
};
use utoipa::ToSchema;

use crate::{CompanyRef, Done, MonthlyUsageSummary, OrgRef, ReasonCode, Totals, UsageAgreement, UsageState};

/// Lines to mark as reviewed, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewedLines {
    /// The lines' `tag`s, 1 to 1,000. A tag names a line with its figure.
    pub lines: Vec<String>,
    /// Whether they are reviewed.
    pub reviewed: bool,
}

/// How many lines were marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarkedLines {
    /// Lines whose mark changed.
    pub changed: u64,
}

/// A product by id and name with its edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductName {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: ProductId,
    /// Name and edition.
    pub name: String,
}

/// Where a correction comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionOrigin {
    /// A product's report that came late.
    Report,
    /// A person.
    ByHand,
}

/// A correction of a closed month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Correction {
    /// Stable id; also that of the line it is.
    #[schema(value_type = String)]
    pub id: LineId,
    /// The closed month it is about.
    #[schema(value_type = String, example = "2026-01")]
    pub of: Period,
    /// The month it is billed in.
    #[schema(value_type = String, example = "2026-03")]
    pub billed_in: Period,
    /// Where that month stands; none while it is not open yet.
    pub state: Option<UsageState>,
    /// The product.
    pub product: ProductName,
    /// The customer.
    pub company: Option<CompanyRef>,
    /// The license.
    #[schema(value_type = Option<String>)]
    pub license: Option<LicenseId>,
    /// Workload type code; empty for what a month could not take and carried on as points.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Units more or less than what was closed.
    pub delta: i64,
    /// The weight of the month it is about.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub weight: Weight,
    /// What it comes to.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points: Points,
    /// Where it comes from.
    pub origin: CorrectionOrigin,
    /// The server whose report came late.
    #[schema(value_type = Option<String>)]
    pub installation: Option<InstallationId>,
    /// The document that says so.
    #[schema(value_type = Option<String>)]
    pub document: Option<DocumentId>,
    /// Who entered it; `the server` for a late report.
    pub entered: Done,
    /// Why it was entered by hand.
    pub reason: Option<ReasonCode>,
    /// One sentence; empty for a late report.
    pub note: String,
}

/// Corrections, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CorrectionList {
    /// At most 500.
    pub items: Vec<Correction>,
}

/// A correction to enter for a closed month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCorrection {
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// Workload type code of the product.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Units more than what was closed, or less where negative; not 0.
    pub delta: i64,
    /// The license it was used under; required where the provider had automatic licenses of the product.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub license: Option<LicenseId>,
    /// The customer; that of the license where one is named.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
    /// Why; required to take away.
    #[serde(default)]
    pub reason: Option<ReasonCode>,
    /// One sentence, at most 1,000 characters.
    pub note: String,
}

/// A correction that was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedCorrection {
    /// Its id.
    #[schema(value_type = String)]
    pub id: LineId,
    /// The month it is billed in.
    #[schema(value_type = String)]
    pub billed_in: Period,
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

/// Whether and why a workload counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadCounted {
    /// It counts.
    Yes,
    /// First seen in this month: shown, not charged until the next.
    New,
    /// Not protected within 31 days of any day of the month.
    Stale,
    /// A person took it out, with a reason.
    Adjusted,
}

/// One workload behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workload {
    /// Stable id, or its salted hash.
    pub id: String,
    /// The customer it belongs to, where the product knows.
    pub company: String,
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// First protected.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// Last protected.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// Whether and why it counts.
    pub counted: WorkloadCounted,
}

/// How many workloads of one type are there for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Whether and why they count.
    pub counted: WorkloadCounted,
    /// Workloads.
    pub rows: u32,
}

/// The workloads behind a server's figures of a month, as the product listed and signed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// The month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// The server.
    #[schema(value_type = String)]
    pub installation: InstallationId,
    /// The revision of the report that named them.
    pub revision: u32,
    /// When that arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Merkle root over the rows, as the report named it; none where the program asks for no detail.
    pub root: Option<String>,
    /// Rows that the report named.
    pub named: u32,
    /// Rows that arrived.
    pub arrived: u32,
    /// All rows that were named are here, and their Merkle root is the one named.
    pub whole: bool,
    /// How many count or not, and why.
    pub reasons: Vec<ReasonCount>,
    /// A page of the rows.
    pub items: Vec<Workload>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// Something that happened to a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEvent {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// A person or token by name, `the server`, or a product's host name.
    pub by: String,
    /// What, as the audit log names it; `report.received` for a product's report.
    #[schema(example = "usage.adjusted")]
    pub verb: String,
    /// In one sentence.
    pub text: String,
    /// The particulars as recorded.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// A page of what happened to a month, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The page.
    pub items: Vec<TimelineEvent>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// A month against the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// The month.
    #[schema(value_type = String, example = "2026-02")]
    pub period: Period,
    /// The month before.
    #[schema(value_type = String, example = "2026-01")]
    pub before: Period,
    /// Points of the month before, corrections not included.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points_before: Points,
    /// Points of this month, corrections not included.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points_now: Points,
    /// What differs, the largest difference first.
    pub items: Vec<DifferenceRow>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceRow {
    /// The product.
    pub product: ProductName,
    /// The customer; none when the provider itself holds the license.
    pub company: Option<CompanyRef>,
    /// The license; none for manual lines without one.
    #[schema(value_type = Option<String>)]
    pub license: Option<LicenseId>,
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Units the month before; none where there was no such line.
    pub count_before: Option<i64>,
    /// Units now; none where there is no such line any more.
    pub count_now: Option<i64>,
    /// Points the month before.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points_before: Points,
    /// Points now.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points_now: Points,
}

/// A closed month as it is invoiced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invoice {
    /// Who invoices.
    pub distributor: OrgRef,
    /// Who is invoiced.
    pub provider: OrgRef,
    /// For which month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// Under which agreement.
    pub agreement: UsageAgreement,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// When the month was closed.
    #[schema(value_type = String, format = DateTime)]
    pub closed_at: Timestamp,
    /// The submission it follows.
    pub submission: u32,
    /// SHA-256 of that submission's lines, in hexadecimal.
    pub lines_hash: String,
    /// What was used, and what is billed of earlier months.
    pub items: Vec<InvoiceItem>,
    /// What it comes to.
    pub totals: Totals,
}

/// One item of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceItem {
    /// Product name and edition.
    pub product: String,
    /// The workload type's display name.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// The earlier month a correction is about.
    #[schema(value_type = Option<String>)]
    pub of: Option<Period>,
    /// Units.
    pub count: i64,
    /// Points per unit.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub weight: Option<Weight>,
    /// Points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points: Points,
}

/// A missed deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissedDeadline {
    /// The month.
    #[serde(flatten)]
    pub month: MonthlyUsageSummary,
    /// When it was submitted first; none while it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub submitted_at: Option<Timestamp>,
    /// Days after the deadline, a begun one counted: until it was submitted, or until now.
    pub days_late: u32,
}

/// A page of missed deadlines, newest month first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissedDeadlinePage {
    /// The page.
    pub items: Vec<MissedDeadline>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// A distributor's rule: the server approves what is not flagged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalRule {
    /// Whether it is on.
    pub on: bool,
    /// Who turned it on.
    pub since: Option<Done>,
}

/// Turns the rule on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetApprovalRule {
    /// Whether the server approves what is not flagged.
    pub on: bool,
}
