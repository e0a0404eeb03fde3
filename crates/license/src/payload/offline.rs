//! What people carry by hand.

use serde::{Deserialize, Serialize};
use tenure_core::DeploymentId;

use crate::bytes::{Hash, KeyId};

/// A request carried by hand. The exchange body rides beside it; this binds it to a moment and a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineRequest {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// `H` of the request (check-in or activation) inside the file.
    pub req: Hash,
    /// SHA-256 of the file's exchange body.
    pub body: Hash,
    /// When it was made, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// An answer carried by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineResponse {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// `H` of the request it answers.
    pub req: Hash,
    /// The key that must import it.
    pub key: KeyId,
    /// SHA-256 of the file's exchange body.
    pub body: Hash,
    /// When it was made, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}
