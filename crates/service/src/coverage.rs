//! How much of a provider's reporting goes by itself: "31 of 50 licenses report by themselves".

use tenure_core::{OrgId, reporting::AutomaticReporting, roles::Action};
use tenure_store::rows::license;

use crate::{
    Actor, Result, Service,
    authorize::{at_provider, provider_meant},
};

/// How many of a provider's licenses report by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Assigned licenses.
    pub licenses: u32,
    /// Those whose products' own reports count.
    pub automatic: u32,
    /// Those on the way there.
    pub switching: u32,
    /// Those that cannot report by themselves: they serve many customers.
    pub never: u32,
}

impl Coverage {
    /// In words, as `31 of 50 licenses report by themselves`.
    pub fn text(&self) -> String {
        let licenses = if self.licenses == 1 { "license reports" } else { "licenses report" };
        let itself = if self.licenses == 1 { "itself" } else { "themselves" };
        format!("{} of {} {licenses} by {itself}", self.automatic, self.licenses)
    }
}

/// How many licenses of a provider (the actor's own where none is named) report by themselves; of its site for who is
/// confined to one.
pub async fn view_coverage(service: &Service, actor: &Actor, provider: Option<OrgId>) -> Result<Coverage> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let mut coverage = Coverage::default();
    for (state, count) in license::by_reporting(&mut read, provider, actor.site).await? {
        coverage.licenses += count;
        match state {
            AutomaticReporting::On | AutomaticReporting::AlwaysOn => coverage.automatic += count,
            AutomaticReporting::SwitchingToOn => coverage.switching += count,
            AutomaticReporting::AlwaysOff => coverage.never += count,
            AutomaticReporting::Off | AutomaticReporting::SwitchingToOff => {}
        }
    }
    Ok(coverage)
}
