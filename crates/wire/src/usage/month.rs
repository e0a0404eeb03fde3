//! A monthly usage with what stands against it and what it comes to.

use serde::{Deserialize, Serialize};
use tenure_core::{AgreementId, Points, SiteId, Timestamp};
use utoipa::ToSchema;

use crate::{AgreementKind, ExpectedInstallation, LicenseMonth, LicenseRef, MonthlyUsageSummary, SitePart, UsageLine};

/// Where a monthly usage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageState {
    /// Reports come in.
    Collecting,
    /// Sites submit their parts.
    PendingSiteReview,
    /// The provider reviews and submits.
    PendingProviderReview,
    /// The distributor decides.
    PendingDistributorReview,
    /// The distributor sent it back, with a reason.
    Rejected,
    /// Final.
    Closed,
}

/// Something that stands against a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blocker {
    /// `awaited`, `missing`, `cloned`, `unmapped` or `unconfirmed`.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// In words.
    pub text: String,
}

/// A site by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteRef {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: SiteId,
    /// Display name.
    pub name: String,
}

/// Who did something and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The person or token by name, or `the server`.
    pub by: String,
}

/// A distributor's rule of two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalLimit {
    /// More points than these take two people; absent where one person approves whatever it is.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>, example = "500")]
    pub above: Option<Points>,
    /// Who set it, and when.
    pub set: Option<Done>,
}

/// Sets a distributor's rule of two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"above": "500"}))]
pub struct NewApprovalLimit {
    /// More points than these take two people; `null` takes the rule away.
    #[serde(with = "crate::text::optional")]
    #[schema(value_type = Option<String>, example = "500")]
    pub above: Option<Points>,
}

/// A monthly usage with its lines. Its `ETag` names the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MonthlyUsage {
    /// The month as a list shows it.
    #[serde(flatten)]
    pub summary: MonthlyUsageSummary,
    /// The agreement it is billed under.
    pub agreement: UsageAgreement,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// Until then reports are awaited.
    #[schema(value_type = String, format = DateTime)]
    pub awaited_until: Timestamp,
    /// Who submitted it last.
    pub submitted: Option<Done>,
    /// The distributor's last decision.
    pub decided: Option<Done>,
    /// The vendor's consent to lowered figures.
    pub vendor_consent: Option<Done>,
    /// The distributor has so many points approved by two different people.
    pub takes_two_people: bool,
    /// The first of two people's approval.
    pub approved_first: Option<Done>,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// The provider's words to the distributor.
    pub comment: String,
    /// When it is submitted by itself, where that was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub auto_submit_at: Option<Timestamp>,
    /// What it comes to.
    pub totals: Totals,
    /// Reported points of the month before, where that was submitted.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub previous_reported: Option<Points>,
    /// What of negative corrections is carried to a later month; zero or negative.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub carried: Points,
    /// Figures were lowered below the products' own by more than the threshold: the vendor has to consent too.
    pub lowered: bool,
    /// What stands against a submission.
    pub blockers: Vec<Blocker>,
    /// What is owed, line by line.
    pub lines: Vec<UsageLine>,
    /// The servers that have to account for the month.
    pub installations: Vec<ExpectedInstallation>,
    /// The licenses behind the lines.
    pub licenses: Vec<LicenseMonth>,
    /// Licenses whose usage is entered by hand and for which nothing is there.
    pub by_hand: Vec<LicenseRef>,
    /// Sites' parts; empty without sites.
    pub parts: Vec<SitePart>,
}

/// The rental agreement of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageAgreement {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: AgreementId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
}

/// What a month comes to. All are points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Sum of the lines.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "203")]
    pub reported: Points,
    /// Minimum commit that applies.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "800")]
    pub commit: Points,
    /// What is missing to the minimum.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "597")]
    pub enforcement: Points,
    /// What lies above the limit; shown, not added.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "0")]
    pub overage: Points,
    /// What is owed.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "800")]
    pub total: Points,
    /// The month the agreement was signed in, which is billed 0.
    pub free: bool,
}
