//! Activation: a product shows a code and its key, and is given its place in the chain.

use serde::{Deserialize, Serialize};
use tenure_core::{DeploymentId, InstallationId, LicenseId, OrgId};

use crate::bytes::{Hash, KeyId, Nonce, PublicKey};

/// The software that speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Version of the agent.
    pub agent: String,
    /// Version of the product.
    pub product: String,
}

/// Salted hashes of what makes a host that host; they choose words, never verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Host name as the product's owner knows it.
    #[serde(default)]
    pub name: String,
    /// Machine id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Hash>,
    /// VM generation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm_generation: Option<Hash>,
    /// Network cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic: Option<Hash>,
}

/// A new installation shows its key and its one-time code. Signed by that key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationRequest {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment it wants to join.
    pub aud: DeploymentId,
    /// The one-time code.
    pub code: String,
    /// The installation's public key.
    pub key: PublicKey,
    /// Product code compiled into the product.
    pub product: String,
    /// Fresh chance.
    pub nonce: Nonce,
    /// The host.
    pub host: HostFacts,
    /// The software.
    pub versions: Versions,
    /// Effective time of the product, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The server's answer to an activation: the first link of the chain. Signed by the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationAnswer {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Current epoch.
    pub epoch: u64,
    /// The new installation.
    pub ins: InstallationId,
    /// Its key.
    pub key: KeyId,
    /// The license it activated.
    pub license: LicenseId,
    /// Whose it is.
    pub provider: OrgId,
    /// The installation it takes over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<InstallationId>,
    /// `H` of the activation request.
    pub req: Hash,
    /// Fresh chance.
    pub nonce: Nonce,
    /// Server time, seconds UTC.
    pub at: i64,
    /// The license that rides beside this answer.
    pub current: LicenseRef,
    /// When to check in next.
    pub next: Window,
    /// Newest version of the trust root.
    pub root: u64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Names one signed license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseRef {
    /// License id.
    pub id: LicenseId,
    /// Epoch of the signed license.
    pub epoch: u64,
    /// Serial of the signed license.
    pub serial: u64,
    /// `H` of its payload.
    pub hash: Hash,
}

/// A span in which the product draws a uniformly random instant. Seconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First instant.
    pub from: i64,
    /// Last instant.
    pub to: i64,
}
