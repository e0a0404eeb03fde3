//! What every use case needs: the store, the clock, chance, the keys, the deployment.

use std::sync::Arc;

use tenure_core::{Clock, DeploymentId, OrgId, Policy, Rng, Timestamp};
use tenure_license::Root;
use tenure_store::Store;

use crate::{
    Keyring,
    check_in::{Ingest, Speakers},
};

/// The use cases' shared context. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    parts: Arc<ServiceParts>,
}

/// What a [`Service`] is made of.
pub struct ServiceParts {
    /// The database.
    pub store: Store,
    /// The server's clock: it decides periods and deadlines.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// Online keys, unsealed.
    pub keys: Keyring,
    /// The newest trust root: what our own older signatures are verified against.
    pub root: Root,
    /// The policy in force, read at start.
    pub policy: Policy,
    /// The way in for check-ins.
    pub ingest: Ingest,
    /// Whose keys were asked for.
    pub(crate) speakers: Speakers,
    /// Who we are.
    pub deployment: Deployment,
}

/// The identity of this deployment, read once at start.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The audience of every signed message.
    pub id: DeploymentId,
    /// The vendor's organization.
    pub vendor: OrgId,
    /// The vendor's name.
    pub vendor_name: String,
    /// Current epoch.
    pub epoch: u64,
    /// Newest version of the trust root.
    pub root_version: u64,
    /// License update servers, best first.
    pub servers: Vec<String>,
    /// Made for a test clock; it licenses nothing real.
    pub test_clock: bool,
}

impl Service {
    pub(crate) fn from_parts(parts: Arc<ServiceParts>) -> Self {
        Self { parts }
    }
    /// The database.
    pub fn store(&self) -> &Store {
        &self.parts.store
    }
    /// The instant now, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }
    /// The server's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }
    /// Chance.
    pub fn rng(&self) -> &dyn Rng {
        &*self.parts.rng
    }
    /// Online keys.
    pub fn keys(&self) -> &Keyring {
        &self.parts.keys
    }
    /// The newest trust root.
    pub fn root(&self) -> &Root {
        &self.parts.root
    }
    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.parts.policy
    }
    /// The way in for check-ins.
    pub(crate) fn ingest(&self) -> &Ingest {
        &self.parts.ingest
    }
    /// Whose keys were asked for.
    pub(crate) fn speakers(&self) -> &Speakers {
        &self.parts.speakers
    }
    /// Who we are.
    pub fn deployment(&self) -> &Deployment {
        &self.parts.deployment
    }
}
