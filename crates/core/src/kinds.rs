//! The program's words that many rules share ("Words").

use serde::{Deserialize, Serialize};

/// Commitment of a rental agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementKind {
    /// No minimum; automatic reporting is always on.
    NoCommit,
    /// A minimum of points per month.
    Volume,
}

/// Who may be served with a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageType {
    /// One company.
    SingleCustomer,
    /// Many companies on one server; assigned to the provider itself at creation.
    MultiCustomer,
    /// The provider itself; assigned to it at creation.
    Internal,
}

impl UsageType {
    /// Whether the provider itself holds it from its creation ("Template, assignment, revocation").
    pub const fn held_by_provider(self) -> bool {
        matches!(self, Self::MultiCustomer | Self::Internal)
    }
}

/// How much of each workload leaves the product ("Counting", `workload_detail`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadDetail {
    /// Counts only.
    None,
    /// Workload ids as salted hashes.
    #[default]
    Hashed,
    /// Ids and names as they are.
    Names,
}

/// What makes a period of a license reported ("Validity", `extension_trigger`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionTrigger {
    /// The products' own untouched figures, or the submission of the monthly usage.
    #[default]
    Submitted,
    /// The monthly usage is Closed.
    Closed,
}

/// Whether a usage report is meant as a figure to review or as the product's word ("The monthly cycle").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Fills *Current Month Usage*, earns nothing.
    Preliminary,
    /// The product's own final figures.
    Final,
}

/// The number of a signed license; only grows per license and installation. Ordered by epoch, then serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LicenseSerial {
    /// Grows with every restore of the server.
    pub epoch: u64,
    /// Grows with every license signed within an epoch.
    pub serial: u64,
}
