//! The review before the submission: starting it, and the sites' parts ("The monthly cycle").

use serde_json::json;
use tenure_core::{SiteId, cycle::UsageEvent, roles::Action};
use tenure_store::{
    Queue,
    rows::{monthly_usage::UsageRow, site_part},
};

use crate::{
    Actor, ProblemKind, Result, Service, checks,
    month::Month,
    month_access::{self, MonthRef, changed, lock, reaches, step},
    submit,
};

/// Starts the review before all reports are in.
pub async fn start_review(service: &Service, actor: &Actor, which: MonthRef) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (mut usage, kind) = lock(tx, &actor, which, Action::EditUsage).await?;
            month_access::start_review(&service_, tx, &actor, kind, &mut usage).await
        })
        .await
}

/// Submits a site's part to the primary license administrator.
pub async fn submit_part(service: &Service, actor: &Actor, which: MonthRef, site: SiteId) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let (mut usage, kind) = lock(tx, &actor, which, Action::SubmitPart).await?;
            reaches(&actor, Some(site))?;
            let month = load(service, tx, &usage).await?;
            known(&month, site)?;
            let mut facts = month.facts(service.now(), service.policy_of(month.head.period));
            let own = month.parts.iter().any(|part| part.site.id == site && part.submitted.is_none());
            facts.parts_outstanding -= u32::from(own);
            usage.state = step(&actor, kind, usage.state, UsageEvent::SubmitPart, &facts)?;
            let (provider, period) = (usage.provider, usage.period);
            if !site_part::submit(tx, provider, period, site, service.now(), actor.principal()).await? {
                return Err(ProblemKind::MonthState.because("the site's part is submitted already").into());
            }
            let body = json!({ "site": site, "state": usage.state });
            changed(service, tx, &actor, &mut usage, "usage.part_submitted", body).await
        })
        .await
}

/// Returns a site's part, with a reason.
pub async fn return_part(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    site: SiteId,
    reason: String,
) -> Result<()> {
    checks::text("reason", &reason, submit::MAX_REASON)?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let (mut usage, kind) = lock(tx, &actor, which, Action::SubmitUsage).await?;
            let month = load(service, tx, &usage).await?;
            known(&month, site)?;
            let mut facts = month.facts(service.now(), service.policy_of(month.head.period));
            facts.reason_given = !reason.trim().is_empty();
            usage.state = step(&actor, kind, usage.state, UsageEvent::ReturnPart, &facts)?;
            if !site_part::give_back(tx, usage.provider, usage.period, site, reason.trim()).await? {
                return Err(ProblemKind::MonthState.because("the site's part is not submitted").into());
            }
            let body = json!({ "site": site, "state": usage.state, "reason": reason.trim() });
            changed(service, tx, &actor, &mut usage, "usage.part_returned", body).await
        })
        .await
}

/// Asks for a month, and those after it, to be submitted by themselves when nothing is missing or flagged, or no longer
/// asks for it.
pub async fn set_auto_submit(service: &Service, actor: &Actor, which: MonthRef, on: bool) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (mut usage, _) = lock(tx, &actor, which, Action::SubmitUsage).await?;
            if usage.state.is_submitted() {
                return Err(ProblemKind::MonthState.because("the month is submitted already").into());
            }
            if usage.auto_submit == on {
                return Ok(());
            }
            usage.auto_submit = on;
            let body = json!({ "auto_submit": on });
            changed(&service_, tx, &actor, &mut usage, "usage.auto_submit", body).await
        })
        .await
}

async fn load(service: &Service, tx: &mut tenure_store::Tx, usage: &UsageRow) -> Result<Month> {
    Month::load(service, tx, usage.clone(), service.now()).await
}

fn known(month: &Month, site: SiteId) -> Result<()> {
    if month.parts.iter().any(|part| part.site.id == site) { Ok(()) } else { Err(ProblemKind::NotFound.into()) }
}
