//! What every use case needs: the store, the clock, chance, the keys, the deployment.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tenure_core::{Clock, DeploymentId, OrgId, Period, Policy, Rng, Timestamp};
use tenure_license::Root;
use tenure_store::Store;

use crate::{
    Keyring, Limits, Outside, SealingKey,
    check_in::{Ingest, Speakers},
    checkpoint::Newest,
    health::Health,
    policies::Policies,
    trust::Trust,
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
    /// Online keys, unsealed, and the newest trust root.
    pub(crate) trust: RwLock<Arc<Trust>>,
    /// Opens the keys of a rotation.
    pub(crate) sealing: SealingKey,
    /// The program's numbers, dated.
    pub(crate) policies: Policies,
    /// The way in for check-ins.
    pub ingest: Ingest,
    /// Whose keys were asked for.
    pub(crate) speakers: Speakers,
    /// The newest checkpoint of the audit chain.
    pub(crate) checkpoint: Newest,
    /// Whether it may sign.
    pub(crate) health: Health,
    /// The files beside the keys, where there are any.
    pub(crate) outside: OnceLock<Outside>,
    /// How much one caller may ask for, where that is limited.
    pub(crate) limits: OnceLock<Limits>,
    /// Held while somebody has the log verified: one at a time.
    pub(crate) verifying: tokio::sync::Mutex<()>,
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
    /// The earliest moment that any restore of the last 13 months went back to: products send again what was receipted
    /// after it.
    pub since: Option<Timestamp>,
    /// The PostgreSQL server this process began with.
    pub server: Option<String>,
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
    /// Online keys, as of now: a rotation is taken up while the process runs.
    pub fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.trust().keys)
    }
    /// The newest trust root, as of now.
    pub fn root(&self) -> Arc<Root> {
        Arc::clone(&self.trust().root)
    }
    /// Keys and trust root of one moment.
    pub(crate) fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.parts.trust.read().unwrap_or_else(PoisonError::into_inner))
    }
    pub(crate) fn set_trust(&self, trust: Trust) {
        *self.parts.trust.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trust);
    }
    pub(crate) fn sealing(&self) -> &SealingKey {
        &self.parts.sealing
    }
    /// The policy in force now. Another begins on the 1st of a month.
    pub fn policy(&self) -> &Policy {
        self.parts.policies.at(Period::of(self.now()))
    }
    /// The policy that judges a month, whenever it is looked at: one month is never judged by two sets of numbers.
    pub fn policy_of(&self, month: Period) -> &Policy {
        self.parts.policies.at(month)
    }
    /// Takes in what the database holds now.
    pub(crate) fn renew_policy(&self, versions: &[(Period, Policy)]) {
        self.parts.policies.renew(versions);
    }
    /// The way in for check-ins.
    pub fn ingest(&self) -> &Ingest {
        &self.parts.ingest
    }
    /// Held while somebody has the log verified.
    pub(crate) fn verifying(&self) -> &tokio::sync::Mutex<()> {
        &self.parts.verifying
    }
    /// Whose keys were asked for.
    pub(crate) fn speakers(&self) -> &Speakers {
        &self.parts.speakers
    }
    /// The newest checkpoint of the audit chain.
    pub(crate) fn newest_checkpoint(&self) -> &Newest {
        &self.parts.checkpoint
    }
    /// Whether it may sign.
    pub(crate) fn health(&self) -> &Health {
        &self.parts.health
    }
    /// The files beside the keys.
    pub(crate) fn outside(&self) -> &OnceLock<Outside> {
        &self.parts.outside
    }
    /// How much one caller may ask for; none limits nobody.
    pub fn limits(&self) -> Option<&Limits> {
        self.parts.limits.get()
    }
    /// Limits callers from now on; the first word counts.
    pub fn limit(&self, limits: Limits) {
        // A second one would be a mistake of the caller that hurts nobody.
        let _ = self.parts.limits.set(limits);
    }
    /// Who we are.
    pub fn deployment(&self) -> &Deployment {
        &self.parts.deployment
    }
}
