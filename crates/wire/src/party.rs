//! Who is who: organizations by name, companies, rental agreements, enrollment.

use serde::{Deserialize, Serialize};
use tenure_core::{AgreementId, CompanyId, OrgId, Points, SiteId, Timestamp};
use utoipa::ToSchema;

/// An organization by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrgRef {
    /// Stable id.
    #[schema(value_type = String, example = "org_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: OrgId,
    /// Display name.
    pub name: String,
}

/// A company by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompanyRef {
    /// Stable id.
    #[schema(value_type = String, example = "com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: CompanyId,
    /// Display name.
    pub name: String,
}

/// An end customer of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Company {
    /// Stable id.
    #[schema(value_type = String, example = "com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: CompanyId,
    /// Display name; two companies may carry the same.
    #[schema(example = "Contoso AG")]
    pub name: String,
    /// What it is to the provider.
    pub kind: CompanyKind,
    /// The provider's site that serves it.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// The reseller, a company of the same provider, that serves it.
    #[schema(value_type = Option<String>)]
    pub reseller: Option<CompanyId>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime, example = "2026-01-05T09:00:00Z")]
    pub created_at: Timestamp,
    /// Since when it gets no new license.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// The company of the same provider that took over what it held.
    #[schema(value_type = Option<String>)]
    pub merged_into: Option<CompanyId>,
}

/// Companies that carry one name, and what merging them comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Namesakes {
    /// The one to keep.
    pub keep: Namesake,
    /// The others, in the order they were added.
    pub others: Vec<Namesake>,
}

/// A company of a name that others carry too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Namesake {
    /// The company.
    pub company: CompanyRef,
    /// How many licenses it holds.
    pub licenses: u64,
}

/// The companies of each name that more than one carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamesakeList {
    /// A group for each name.
    pub items: Vec<Namesakes>,
}

/// Companies to merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanyMerge {
    /// Those that are merged, 1 to 50.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50, example = json!(["com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f"]))]
    pub companies: Vec<CompanyId>,
}

/// What a company is to its provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompanyKind {
    /// Uses the provider's service.
    #[default]
    Customer,
    /// Sells the provider's service to other companies.
    Reseller,
}

/// What is to be different about a company; what is left out stays, `null` clears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Contoso SE", "reseller": null}))]
pub struct CompanyChange {
    /// Another display name, 1 to 200 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// Another kind.
    #[serde(default)]
    pub kind: Option<CompanyKind>,
    /// Another site of the provider, or none.
    #[serde(default, deserialize_with = "crate::text::present::deserialize", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<Option<SiteId>>,
    /// Another reseller, or none.
    #[serde(default, deserialize_with = "crate::text::present::deserialize", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reseller: Option<Option<CompanyId>>,
    /// Whether it may get new licenses; closing needs that it holds none.
    #[serde(default)]
    pub open: Option<bool>,
}

/// A page of companies, in the order they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompanyPage {
    /// The page.
    pub items: Vec<Company>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// A company to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Contoso AG"}))]
pub struct NewCompany {
    /// Display name, 1 to 200 characters.
    pub name: String,
    /// What it is to the provider; a customer where nothing is said.
    #[serde(default)]
    pub kind: CompanyKind,
    /// The provider's site that serves it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// The reseller that serves it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub reseller: Option<CompanyId>,
}

/// Commitment of a rental agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementKind {
    /// No minimum; automatic reporting is always on.
    NoCommit,
    /// A minimum of points per month.
    Volume,
}

/// A rental agreement between a distributor and a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agreement {
    /// Stable id.
    #[schema(value_type = String, example = "agr_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: AgreementId,
    /// Who rents.
    pub provider: OrgRef,
    /// Who approves and invoices.
    pub distributor: OrgRef,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
    /// Minimum points per month.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "200")]
    pub commit: Points,
    /// Points above this are shown as overage.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub limit: Option<Points>,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub signed_at: Timestamp,
    /// The first instant it no longer covers.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// When it was ended early.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub terminated_at: Option<Timestamp>,
    /// What it commits to from later months on, where that changed.
    #[serde(default)]
    pub terms: Vec<crate::AgreementTerms>,
}

/// A page of agreements, by provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgreementPage {
    /// The page.
    pub items: Vec<Agreement>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// Whether a provider's products may report by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentState {
    /// Never asked for: usage is submitted by hand.
    NotRequested,
    /// Asked for; the vendor has not decided.
    Requested,
    /// Products may report by themselves.
    Active,
    /// The vendor declined, with a reason; it may be asked for again.
    Declined,
}

/// A provider's enrollment in automatic reporting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrollment {
    /// Whose.
    pub provider: OrgRef,
    /// Where it stands.
    pub state: EnrollmentState,
    /// The vendor's words; empty unless it declined.
    pub reason: String,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed_at: Option<Timestamp>,
    /// What this means for the provider, in one sentence.
    pub meaning: String,
}

/// A page of enrollments, by provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollmentPage {
    /// The page.
    pub items: Vec<Enrollment>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// One change of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"at": "2026-01-07T09:00:00Z", "state": "declined", "reason": "no agent", "by": "Example Software"}))]
pub struct EnrollmentChange {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `requested`, `withdrawn`, `active`, `declined`.
    pub state: String,
    /// The vendor's reason; empty where there is none.
    pub reason: String,
    /// Who: a person of the provider, or the vendor.
    pub by: String,
}

/// What became of an enrollment, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollmentHistory {
    /// The changes, at most 200.
    pub changes: Vec<EnrollmentChange>,
}

/// Asks for automatic reporting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrollmentRequest {
    /// The provider confirms the requirements: its servers reach the license update server, update their licenses
    /// automatically, and it reviews and submits each month. Must be true.
    pub requirements_confirmed: bool,
}

/// The vendor's decision about an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrollmentDecision {
    /// Approve or decline.
    pub approve: bool,
    /// Why; required when declining, at most 1,000 characters.
    #[serde(default)]
    pub reason: String,
}
