//! The program as the vendor changes it: products and weights, numbers, agreements; and what a change would do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenure_core::{OrgId, Period, Points, ProductId, Timestamp, UsageId, Weight};
use utoipa::ToSchema;

use crate::{OrgRef, Product};

/// A product with all it ever cost and will cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductDetail {
    /// The product, with the weights of the running month.
    pub product: Product,
    /// Since when it is not licensed anew.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
    /// Weights by code, variant and the month they hold from.
    pub weights: Vec<DatedWeight>,
}

/// A weight with the month it holds from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatedWeight {
    /// Workload type code.
    #[schema(example = "vm")]
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// The first month it holds for.
    #[schema(value_type = String, example = "2026-05")]
    pub from: Period,
    /// Points per unit.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "1.5")]
    pub weight: Weight,
}

/// A workload type to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkload {
    /// Code in reports: lower-case letters, digits and hyphens.
    #[schema(example = "vm")]
    pub code: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Display name.
    #[schema(example = "Virtual machine")]
    pub name: String,
    /// What one of it is called, as `machine` or `500 GB`.
    #[schema(example = "machine")]
    pub unit: String,
    /// Points per unit.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "11")]
    pub weight: Weight,
}

/// A product to add, with its weights from the running month on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// The code compiled into the product.
    #[schema(example = "object-gateway")]
    pub code: String,
    /// Display name.
    #[schema(example = "Object Gateway")]
    pub name: String,
    /// Edition; empty when it has only one.
    #[serde(default)]
    pub edition: String,
    /// Version line.
    #[schema(example = "1")]
    pub version: String,
    /// Whether its installations report by themselves.
    pub reports: bool,
    /// What is counted.
    pub workloads: Vec<NewWorkload>,
}

/// What is to be different about a product; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"withdrawn": true}))]
pub struct ProductChange {
    /// Another display name.
    #[serde(default)]
    pub name: Option<String>,
    /// Another version line.
    #[serde(default)]
    pub version: Option<String>,
    /// Whether it is withdrawn from new licenses.
    #[serde(default)]
    pub withdrawn: Option<bool>,
}

/// Workload types to add to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkloads {
    /// The month their weights hold from: the running one where nothing is said, or one before.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2026-01")]
    pub from: Option<Period>,
    /// What is counted from now on.
    pub workloads: Vec<NewWorkload>,
}

/// Another weight of a workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWeight {
    /// Workload type code.
    #[schema(example = "vm")]
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Points per unit.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "12")]
    pub weight: Weight,
}

/// Weights from the 1st of a future month on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWeights {
    /// The first month they hold for; a later one than the running month.
    #[schema(value_type = String, example = "2026-05")]
    pub from: Period,
    /// The weights.
    pub weights: Vec<NewWeight>,
}

/// The program's numbers: those in force, and those to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// The month since which they hold.
    #[schema(value_type = String, example = "2026-01")]
    pub from: Period,
    /// One value per field; points as decimal text.
    #[schema(value_type = Object, example = json!({"grace_days": 60, "auto_send_day": 3, "deviation_points": "20"}))]
    pub values: Map<String, Value>,
    /// Those to come, by their month.
    pub scheduled: Vec<PolicyVersion>,
}

/// The program's numbers from a month on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersion {
    /// The first month they hold for.
    #[schema(value_type = String, example = "2026-05")]
    pub from: Period,
    /// One value per field.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
}

/// What is to be different about the program's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-05", "values": {"provider_deadline_day": 7}}))]
pub struct PolicyChange {
    /// The month from which it holds, a later one than the running month; left out for at once, where every field allows it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub from: Option<Period>,
    /// The fields with their new values.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
}

/// A change to think through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"policy": {"from": "2026-05", "values": {"provider_deadline_day": 7}}}))]
pub struct ProgramChange {
    /// Other numbers.
    #[serde(default)]
    pub policy: Option<PolicyChange>,
    /// Other weights.
    #[serde(default)]
    pub weights: Vec<WeightOf>,
}

/// Another weight of a product's workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightOf {
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Points per unit.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "12")]
    pub weight: Weight,
}

/// Open months before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgramPreview {
    /// The page, by provider and month.
    pub items: Vec<PreviewedMonth>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// An open month before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewedMonth {
    /// The monthly usage's id.
    #[schema(value_type = String, example = "mu_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: UsageId,
    /// Whose.
    pub provider: OrgRef,
    /// Which month.
    #[schema(value_type = String, example = "2026-04")]
    pub period: Period,
    /// Where it stands. What is submitted stands by its signed figures.
    #[schema(example = "PendingProviderReview")]
    pub state: String,
    /// As it is.
    pub before: Outlook,
    /// As it would be, had the change been in force.
    pub after: Outlook,
}

/// What a month comes to and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outlook {
    /// Reported points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "203")]
    pub reported: Points,
    /// Points up to the commitment.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "597")]
    pub enforcement: Points,
    /// Points above the limit.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "0")]
    pub overage: Points,
    /// Total points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "800")]
    pub total: Points,
    /// Until when reports are awaited.
    #[schema(value_type = String, format = DateTime, example = "2026-05-04T00:00:00Z")]
    pub awaited_until: Timestamp,
    /// The end of the day by which the provider submits.
    #[schema(value_type = String, format = DateTime, example = "2026-05-06T00:00:00Z")]
    pub due: Timestamp,
    /// By when the distributor decides, once it is submitted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decide_by: Option<Timestamp>,
    /// Licenses with a flag.
    pub flagged: u32,
    /// Figures were lowered so far that the vendor has to consent too.
    pub needs_consent: bool,
}

/// A commitment from a month on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementTerms {
    /// The first month it holds for.
    #[schema(value_type = String, example = "2026-05")]
    pub from: Period,
    /// Minimum points per month.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "300")]
    pub commit: Points,
    /// Points above this are shown as overage.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub limit: Option<Points>,
}

/// What is to be different about an agreement; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ends_at": "2030-01-01T00:00:00Z"}))]
pub struct AgreementChange {
    /// Another number.
    #[serde(default)]
    pub number: Option<String>,
    /// Another purchase order, for months opened from now on.
    #[serde(default)]
    pub purchase_order: Option<String>,
    /// Another end.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// Another distributor, for months opened from now on.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub distributor: Option<OrgId>,
    /// Another commitment, from a future month on.
    #[serde(default)]
    pub terms: Option<AgreementTerms>,
    /// Takes an early end back.
    #[serde(default)]
    pub reinstate: bool,
}

/// Ends an agreement early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Both sides agreed on it."}))]
pub struct AgreementTermination {
    /// When; now where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// Why; its parties read it.
    pub reason: String,
}

/// An action of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditAction {
    /// The entry's id.
    #[schema(example = "0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: String,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T10:00:00Z")]
    pub at: Timestamp,
    /// The organization whose log it is.
    pub organization: Option<OrgRef>,
    /// Who: the id of a person or token, or a word such as `server`.
    #[schema(example = "usr_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub actor: String,
    /// Who, by name as far as the reader may know it.
    #[schema(example = "Ann Example")]
    pub actor_name: String,
    /// What was done.
    #[schema(example = "site.renamed")]
    pub action: String,
    /// To what.
    #[schema(example = "site_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub object: String,
    /// What was done, in words that follow the name.
    #[schema(example = "renamed the site from Hamburg to Hamburg Harbor")]
    pub words: String,
    /// The particulars; absent where personal data was erased.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
}

/// A page of actions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The page.
    pub items: Vec<AuditAction>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}
