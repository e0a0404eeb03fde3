//! What people do to a month.

use serde::{Deserialize, Serialize};
use tenure_core::{CompanyId, LicenseId, LineId, Points, ProductId, SiteId, Timestamp};
use utoipa::ToSchema;

use crate::{Done, Figure, ReasonCode};

/// A manual line to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewManualLine {
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// Workload type code of the product.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Units, at most 100,000,000.
    pub count: u32,
    /// The license it was used under; required where the provider has automatic licenses of the product.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub license: Option<LicenseId>,
    /// The customer; that of the license where one is named.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
    /// The site whose part it is in; that of the license where one is named.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
}

/// A manual line that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedManualLine {
    /// Its id.
    #[schema(value_type = String)]
    pub id: LineId,
}

/// Another figure in place of a product's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFigure {
    /// Units, at most 100,000,000.
    pub count: u32,
    /// Why; required when the product's figure is lowered.
    #[serde(default)]
    pub reason: Option<ReasonCode>,
    /// One sentence, at most 1,000 characters; required when the product's figure is lowered.
    #[serde(default)]
    pub note: String,
}

/// An answer for a server: exactly one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnswer {
    /// What it used; an empty list says zero.
    #[serde(default)]
    pub figures: Option<Vec<Figure>>,
    /// It used what its weekly figures reached.
    #[serde(default)]
    pub suggested: bool,
}

/// What goes with a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitUsage {
    /// Another purchase order than the agreement's, at most 100 characters.
    #[serde(default)]
    pub purchase_order: Option<String>,
    /// Words to the distributor, at most 2,000 characters.
    #[serde(default)]
    pub comment: Option<String>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmittedUsage {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// SHA-256 of the lines that were signed, in hexadecimal.
    pub lines_hash: String,
    /// Reported points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub reported: Points,
    /// Total points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub total: Points,
    /// The signed receipt: a DSSE envelope, verifiable with the trust root.
    #[schema(value_type = Object)]
    pub receipt: serde_json::Value,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, in one or a few sentences, at most 2,000 characters.
    pub reason: String,
}

/// Whether a month is submitted by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoSubmit {
    /// This month and those after it, when nothing is missing or flagged.
    pub on: bool,
}

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
