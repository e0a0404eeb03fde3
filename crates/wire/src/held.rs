//! Installations that the server lost and that wait for a person.

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp};
use utoipa::ToSchema;

/// An installation that the server lost together with what it belonged to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldServer {
    /// Its id, as the server's own activation answer of before the restore says.
    #[schema(value_type = String)]
    pub id: InstallationId,
    /// Whose it was; that provider need not exist any more.
    #[schema(value_type = String)]
    pub provider: OrgId,
    /// The license it held; it need not exist any more.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// Host name it tells.
    pub host: String,
    /// When it was heard first.
    #[schema(value_type = String, format = DateTime)]
    pub first_heard_at: Timestamp,
    /// When it was heard last.
    #[schema(value_type = String, format = DateTime)]
    pub last_heard_at: Timestamp,
    /// Documents that are kept for it until it is confirmed.
    pub documents: i64,
}

/// Those that wait, the longest waiting first; at most 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldServers {
    /// They.
    pub items: Vec<HeldServer>,
}

/// Which license it holds from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmHeld {
    /// A license that is assigned and has not ended.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// Whose license it is, where that is not the provider the server belonged to; for the vendor.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub provider: Option<OrgId>,
}

/// It exists again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldConfirmed {
    /// Kept documents that were taken, each as of the day it came.
    pub documents_taken: u32,
}
