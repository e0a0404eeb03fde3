//! The workloads behind a figure, who did what, and the difference to the month before.

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, Period, Points, Timestamp};
use utoipa::ToSchema;

use crate::{CompanyRef, ProductName};

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
