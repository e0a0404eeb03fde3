//! Looking at an installation without the journal's lock: what commands do while a daemon runs.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use tenure_core::{Clock, Period, Policy, Timestamp, product_clock::ProductClock};
use tenure_license::{Continuity, Envelope, Root, TrustRoot, VerifyError};

use crate::{
    config::Config,
    error::AgentError,
    journal::read_unlocked,
    keeper::replay,
    state::State,
    system::{SystemClock, TestClock},
    view::{HeldReport, LastSent, MonthUsage, ReportView, Status, View},
};

/// The state of an installation as its journal has it now. Reads, never writes.
pub struct Glance {
    state: State,
    clock: Arc<dyn Clock>,
    auto_update: bool,
    collects: bool,
    policy: Policy,
    doubt: Option<VerifyError>,
    root: Root,
    continuity: Option<Continuity>,
}

impl Glance {
    /// Reads the journal of a data directory; one without a journal is not activated.
    ///
    /// # Errors
    /// When the journal is damaged or was made under another trust root.
    pub fn read(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, AgentError> {
        let pinned = Root::pinned(config.read_root()?).map_err(AgentError::Root)?;
        let mut state = replay(read_unlocked(&config.journal_dir())?.unwrap_or_default())?;
        let issued = Timestamp::from_secs(pinned.payload().issued_at);
        state.clock.get_or_insert(ProductClock::new(issued));
        let chain = Root::from_chain(state.roots.iter().cloned());
        let root = if state.roots.is_empty() { pinned } else { chain.map_err(AgentError::Root)? };
        let verdict = state.license.as_ref().map(|held| root.verify_held_license(&held.envelope));
        let doubt = verdict.and_then(Result::err);
        if doubt.as_ref().is_some_and(|doubt| *doubt != VerifyError::Revoked) {
            state.license = None;
        }
        let note = state.continuity.as_ref().and_then(|note| root.verify_continuity(note).ok());
        let continuity = note
            .map(tenure_license::Verified::into_inner)
            .filter(|note: &Continuity| note.products.contains(&config.product));
        Ok(Self {
            root,
            continuity,
            state,
            clock,
            auto_update: config.auto_update,
            collects: !config.collectors.is_empty(),
            policy: Policy::default(),
            doubt,
        })
    }

    /// How the license stands.
    pub fn status(&self) -> Status {
        self.view().status()
    }

    /// The running month's counts.
    pub fn usage(&self) -> MonthUsage {
        let view = self.view();
        view.usage(Period::of(view.now.at))
    }

    /// The counts of any month that is remembered.
    pub fn usage_of(&self, period: Period) -> MonthUsage {
        self.view().usage(period)
    }

    /// The newest report made of a month, as it was signed.
    pub fn held_report(&self, period: Period) -> Option<HeldReport> {
        self.view().held_report(period)
    }

    /// The request made last with the documents it carried, and before it, where it carried none, the last that did.
    pub fn last_sent(&self) -> Vec<LastSent> {
        self.view().last_sent()
    }

    /// A month as it would be reported.
    pub fn report(&self, period: Period) -> ReportView {
        self.view().report(period)
    }

    /// The product's name, as the license has it.
    pub fn product(&self) -> Option<String> {
        self.state.license.as_ref().map(|held| held.license.product.name.clone())
    }

    /// License update servers that the license names.
    pub fn named_servers(&self) -> &[String] {
        self.state.license.as_ref().map_or(&[], |held| &held.license.servers)
    }

    /// The newest version of the trust root that is held; none before the first start.
    pub fn root_version(&self) -> Option<u64> {
        let newest = self.state.roots.last()?;
        tenure_license::decode_payload::<TrustRoot>(&newest.payload).ok().map(|root| root.version)
    }

    /// Workload types and variants that the license lists; none without a license.
    pub fn licensed_kinds(&self) -> Option<BTreeSet<(String, String)>> {
        let listed = &self.state.license.as_ref()?.license.workloads;
        Some(listed.iter().map(|one| (one.workload.clone(), one.variant.clone())).collect())
    }

    /// Time now, as the product takes it.
    pub fn now(&self) -> Timestamp {
        self.view().now.at
    }

    fn view(&self) -> View<'_> {
        let (boot, system) = (self.clock.boot(), self.clock.now());
        let clock = self.state.clock.as_ref().expect("set when it was read");
        View {
            state: &self.state,
            policy: &self.policy,
            now: clock.effective(boot, system),
            boot,
            auto_update: self.auto_update,
            collects: self.collects,
            doubt: self.doubt.as_ref(),
            root: &self.root,
            continuity: self.continuity.as_ref(),
        }
    }
}

/// The clock of a daemon or command: the machine's, or a test clock where the trust root allows one.
///
/// # Errors
/// When the trust root is not one of a test deployment, or the clock cannot be read.
pub fn clock_for(root: &Envelope, test_clock: Option<&Path>) -> Result<Arc<dyn Clock>, AgentError> {
    let root = Root::pinned(root.clone()).map_err(AgentError::Root)?;
    match test_clock {
        None => Ok(Arc::new(SystemClock::new()?)),
        Some(path) if root.payload().test_clock => Ok(Arc::new(TestClock::open(path)?)),
        Some(_) => Err(AgentError::NotATestDeployment),
    }
}
