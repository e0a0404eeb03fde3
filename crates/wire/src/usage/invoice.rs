//! What a distributor invoices, and who was late.

use serde::{Deserialize, Serialize};
use tenure_core::{Period, Points, Timestamp, Weight};
use utoipa::ToSchema;

use crate::{MonthlyUsageSummary, OrgRef, Totals, UsageAgreement};

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
