//! What a product counted: reports, the workloads behind them, watermarks, the days of the journal.

use serde::{Deserialize, Serialize};
use tenure_core::{Day, DeploymentId, InstallationId, LicenseId, Period, Stage as ReportStage, Week};

use super::DailyHead;
use crate::bytes::Hash;

/// What one installation used in one period. Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// The license held at the period's end.
    pub license: LicenseId,
    /// The month reported.
    pub period: Period,
    /// From 1; higher replaces lower until submission.
    pub revision: u32,
    /// `H` of the revision before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Hash>,
    /// Preliminary or final.
    pub stage: ReportStage,
    /// When it was made, seconds UTC of the product.
    pub made_at: i64,
    /// Product code compiled into the product.
    pub product: String,
    /// One per workload type and variant, in code order.
    pub lines: Vec<ReportLine>,
    /// The daily chain of the period, oldest first.
    #[serde(default)]
    pub heads: Vec<DailyHead>,
    /// Merkle root over the workload rows, unless `workload_detail` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceRef>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// One figure of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// The daily high as counted, new workloads not included.
    pub raw: u32,
    /// The figure reported: `raw`, or less where a person adjusted it on the product.
    pub count: u32,
    /// Workloads first seen in this period; they cost nothing yet.
    pub new: u32,
    /// The count of each day of the period, first day first; `null` where the day was not observed.
    pub daily: Vec<Option<u32>>,
    /// Why `count` is below `raw`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<ReportAdjustment>,
}

/// A person took workloads out of a report on the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAdjustment {
    /// How many units less.
    pub units: u32,
    /// Reason code, as in the portal.
    pub reason: String,
    /// One sentence.
    pub note: String,
}

/// Where the workloads behind a report are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// RFC 6962 Merkle root over the rows in order.
    pub root: Hash,
    /// Rows in all.
    pub rows: u32,
    /// Documents they come in, 1,000 rows each.
    pub parts: u32,
}

/// At most 1,000 workloads behind a report. Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadEvidence {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// The month.
    pub period: Period,
    /// The Merkle root these rows belong to.
    pub root: Hash,
    /// Which part, from 0.
    pub part: u32,
    /// The workloads.
    pub rows: Vec<WorkloadRow>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// One workload and why it counted or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadRow {
    /// Stable workload id, or its salted hash.
    pub id: String,
    /// Customer it belongs to, where the product knows.
    #[serde(default)]
    pub company: String,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    #[serde(default)]
    pub variant: String,
    /// First protected, seconds UTC.
    pub first: i64,
    /// Last protected, seconds UTC.
    pub last: i64,
    /// Whether and why it counts.
    pub counted: Counted,
}

/// Whether a workload counts in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// It counts.
    Yes,
    /// First seen in this period: shown, not charged.
    New,
    /// Not protected within 31 days of any day of the period.
    Stale,
    /// A person took it out, with a reason.
    Adjusted,
}

/// The daily counts of one completed ISO week. Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// The license held.
    pub license: LicenseId,
    /// The week.
    pub week: Week,
    /// A figure per UTC day, Monday first, so that a week across two months splits exactly.
    pub lines: Vec<WatermarkLine>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Seven daily counts of one workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatermarkLine {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    #[serde(default)]
    pub variant: String,
    /// Monday to Sunday; `null` where the day was not observed.
    pub daily: Vec<Option<u32>>,
}

/// One counted day in the product's journal; its `H` is the head of the daily chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalDay {
    /// Schema version, 1.
    pub v: u8,
    /// The installation.
    pub ins: InstallationId,
    /// The day.
    pub day: Day,
    /// `H` of the day before in the chain; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Hash>,
    /// Counts per workload type and variant.
    pub counts: Vec<DayCount>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The count of one workload type on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    #[serde(default)]
    pub variant: String,
    /// Workloads that counted, new ones not included.
    pub count: u32,
    /// New ones.
    pub new: u32,
}
