//! Corrections of closed months.

use serde::{Deserialize, Serialize};
use tenure_core::{CompanyId, DocumentId, InstallationId, LicenseId, LineId, Period, Points, ProductId, Weight};
use utoipa::ToSchema;

use crate::{CompanyRef, Done, ProductName, ReasonCode, UsageState};

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
