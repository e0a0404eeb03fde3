//! What a license file holds.

use serde::{Deserialize, Serialize};
use tenure_core::{
    AgreementId, AgreementKind, CompanyId, DeploymentId, InstallationId, LicenseId, OrgId, Period, Points, UsageType,
    Weight, WorkloadDetail,
};

use super::Named;
use crate::bytes::KeyId;

/// The right of one installation to run one product until `expires_at` and through grace.
///
/// Without `installation` it is an *activation license*: it may activate once, it never licenses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment that signed it.
    pub aud: DeploymentId,
    /// The assignment this license stands for.
    pub license: LicenseId,
    /// The rental agreement it is rented under.
    pub agreement: Agreement,
    /// Publisher of the product.
    pub vendor: Named<OrgId>,
    /// The service provider that rents it.
    pub provider: Named<OrgId>,
    /// The customer it is assigned to; none when the provider itself holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Named<CompanyId>>,
    /// What it licenses.
    pub product: Product,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// Licensed workloads, for display and overuse.
    pub workloads: Vec<LicensedWorkload>,
    /// The whole pool in thousandths of a point, rounded up to a whole point.
    pub points: Points,
    /// Whether it is extended by reported usage.
    pub automatic_reporting: bool,
    /// The instant validity is counted from; only with `automatic_reporting`. Seconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<i64>,
    /// A whole period whose usage is reported beside the manual figure, before automatic reporting goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Period>,
    /// End of validity, seconds UTC.
    pub expires_at: i64,
    /// Days of full function after `expires_at`.
    pub grace_days: u32,
    /// Last period of the unbroken run of reported periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_through: Option<Period>,
    /// When it was signed, seconds UTC; its signing key had to be valid then.
    pub issued_at: i64,
    /// Grows with every restore of the server.
    pub epoch: u64,
    /// Grows with every license signed for this license id and installation within an epoch.
    pub serial: u64,
    /// The installation it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<Binding>,
    /// One-time code of an activation license; never beside `installation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationGrant>,
    /// License update servers, best first, as `https://host[:port]`.
    pub servers: Vec<String>,
    /// The product must hold at least this version of the trust root.
    pub min_root: u64,
    /// How much of each workload a report may name.
    pub workload_detail: WorkloadDetail,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The rental agreement as a license shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Stable id.
    pub id: AgreementId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
}

/// A product line as licensed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The catalog's code, compiled into the product.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition, as `Enterprise`.
    pub edition: String,
    /// Licensed version line, as `12`.
    pub version: String,
}

/// A licensed count of one workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicensedWorkload {
    /// Workload type code of the catalog.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Licensed units.
    pub count: u32,
    /// Points per unit in thousandths, as of issue.
    pub weight: Weight,
}

/// What a license is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The installation.
    pub id: InstallationId,
    /// Its key.
    pub key: KeyId,
}

/// The right to activate once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationGrant {
    /// The one-time code, 128 bit in base32 groups.
    pub code: String,
    /// When it lapses, seconds UTC.
    pub until: i64,
}
