//! Licenses as the provider API shows them: a template and, once assigned, the license made of it.

use serde::{Deserialize, Serialize};
use tenure_core::{
    AgreementId, CompanyId, Day, InstallationId, LicenseId, Period, Points, ProductId, SiteId, TemplateId, Timestamp,
    Weight,
};
use utoipa::ToSchema;

use crate::CompanyRef;

/// Who may be served with a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageType {
    /// One company.
    SingleCustomer,
    /// Many companies on one server; assigned to the provider itself at creation.
    MultiCustomer,
    /// The provider itself; assigned to it at creation.
    Internal,
}

/// Where automatic reporting of a license stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutomaticReporting {
    /// Usage is submitted by hand; the license carries an explicit expiration date.
    Off,
    /// Turned on; not every server has shown the new license yet.
    SwitchingToOn,
    /// The products' own reports extend it.
    On,
    /// Turned off; not every server has shown the new license yet.
    SwitchingToOff,
    /// On by the agreement and cannot be turned off.
    AlwaysOn,
    /// Off by the usage type and cannot be turned on.
    AlwaysOff,
}

/// What a license is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenseState {
    /// Not assigned: costs nothing and has no validity.
    Template,
    /// More than 30 days left.
    Valid,
    /// Within 30 days of its end.
    Expiring,
    /// Past its end, in full function until grace is over.
    Expired,
    /// Past grace: existing data readable, nothing new protected.
    Restricted,
    /// Revoked or deleted.
    Ended,
}

/// A licensed count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Licensed units.
    pub count: u32,
}

/// A licensed count with what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicensedWorkload {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Licensed units.
    pub count: u32,
    /// Points per unit in the running period.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "1.5")]
    pub weight: Weight,
    /// Count times weight, not rounded.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "13.5")]
    pub points: Points,
}

/// A server that activated a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Installation {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// Whether it installs new licenses by itself.
    pub auto_update: bool,
    /// Last check-in.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// A switch of automatic reporting waits for this server to show its new license.
    pub awaited: bool,
}

/// A template, and the license made of it when it is assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct License {
    /// The template's id; stays through assignments.
    #[schema(value_type = String, example = "tpl_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: TemplateId,
    /// The assignment's id: periods, extensions and serials belong to it.
    #[schema(value_type = Option<String>, example = "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub license: Option<LicenseId>,
    /// The rental agreement it is rented under.
    #[schema(value_type = String)]
    pub agreement: AgreementId,
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// The product's name and edition.
    pub product_name: String,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The provider's own words.
    pub description: String,
    /// The provider's site it belongs to.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// The customer it is assigned to; none for a template, or when the provider itself holds it.
    pub company: Option<CompanyRef>,
    /// What it licenses.
    pub workloads: Vec<LicensedWorkload>,
    /// The pool in whole points, rounded up.
    pub points: i64,
    /// What it is worth now.
    pub state: LicenseState,
    /// The state in words, as `Expired (59 days of grace remaining)`.
    pub state_text: String,
    /// Where automatic reporting stands; for a template, what its next assignment starts with.
    pub automatic_reporting: AutomaticReporting,
    /// Why automatic reporting stands there, or what it waits for, in one sentence.
    pub automatic_reporting_text: String,
    /// When it expires.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Why it expires when it does, in one sentence.
    pub expires_text: String,
    /// Last period of the unbroken run of reported periods.
    #[schema(value_type = Option<String>)]
    pub reported_through: Option<Period>,
    /// The first month whose usage is missing though a later one is reported.
    #[schema(value_type = Option<String>)]
    pub missing_period: Option<Period>,
    /// The last twelve months, oldest first, the running one last; empty for a template.
    #[serde(default)]
    pub months: Vec<LicenseMonthCell>,
    /// The month whose figures are collected beside the manual ones, before automatic reporting is turned on.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2026-05")]
    pub shadow_month: Option<Period>,
    /// When it was assigned.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub assigned_at: Option<Timestamp>,
    /// The servers that activated it and are not retired; only on a single license.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installations: Vec<Installation>,
}

/// One month of a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenseMonthCell {
    /// The month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// How it stands.
    pub state: LicenseMonthState,
}

/// How a month stands for a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenseMonthState {
    /// Before the license's first month, or reports do not extend it.
    NotCounted,
    /// Reported: it gave the license a month, once all before it are reported too.
    Reported,
    /// Over and not reported yet; its cycle runs.
    Due,
    /// Not reported though it is long over.
    Missing,
    /// It still runs.
    Running,
}

/// A page of licenses, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicensePage {
    /// The page.
    pub items: Vec<License>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// A license to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLicense {
    /// The rental agreement it is rented under.
    #[schema(value_type = String)]
    pub agreement: AgreementId,
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The provider's own words, at most 500 characters.
    #[serde(default)]
    pub description: String,
    /// The provider's site it belongs to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// The company it is assigned to at once; only for `single_customer`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
    /// Whether the products' own reports extend it. Forced on under a `no_commit` agreement, off for `multi_customer`.
    #[serde(default)]
    pub automatic_reporting: bool,
    /// Its last day; required without automatic reporting, at most the agreement's last day, and ignored with it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2026-12-31")]
    pub expires_on: Option<Day>,
    /// What it licenses: 1 to 100 workload types of the product, each once.
    pub workloads: Vec<WorkloadCount>,
}

/// Changes a license; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Hosts in Rome", "workloads": [{"workload": "host", "count": 20}]}))]
pub struct EditLicense {
    /// The provider's own words, at most 500 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// What it licenses: 1 to 100 workload types of the product, each once.
    #[serde(default)]
    pub workloads: Option<Vec<WorkloadCount>>,
    /// Its last day; only where reports do not extend it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2026-12-31")]
    pub expires_on: Option<Day>,
}

/// Moves a license; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"company": "com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f"}))]
pub struct MoveLicense {
    /// Another company of the same provider. The license keeps its id and validity; a month stands whole under the company
    /// that holds it at the month's end.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
    /// Another site of the provider.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// Takes it out of its site.
    #[serde(default)]
    pub no_site: bool,
}

/// Gives a license a shadow month, or takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetShadowMonth {
    /// Whether it gets one: the next whole month.
    pub on: bool,
}

/// How many servers were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateAsked {
    /// Servers that get the newest license at their next check-in.
    #[schema(example = 2)]
    pub servers: u32,
}

/// How many licenses report by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"licenses": 50, "automatic": 31, "switching": 2, "never": 4,
    "text": "31 of 50 licenses report by themselves"}))]
pub struct Coverage {
    /// Assigned licenses.
    pub licenses: u32,
    /// Those whose products' own reports count.
    pub automatic: u32,
    /// Those on the way there.
    pub switching: u32,
    /// Those that cannot: they serve many customers.
    pub never: u32,
    /// In words.
    pub text: String,
}

/// Assigns a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignLicense {
    /// The customer that gets it; left out where the provider itself holds licenses of the usage type.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
}

/// Turns automatic reporting on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchAutomaticReporting {
    /// On or off.
    pub on: bool,
}

/// A license to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenseFile {
    /// A name for the file.
    pub file_name: String,
    /// The armored file: `-----BEGIN TENURE LICENSE-----` and so on.
    pub content: String,
    /// Set for an activation license: the one-time code inside it, valid for one server.
    pub activation_code: Option<String>,
    /// When the code lapses.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub code_until: Option<Timestamp>,
}
