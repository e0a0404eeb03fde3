//! Whose month it is and what may be done with it: the tenant first, then the role, then the month's own table.

use std::str::FromStr;

use serde_json::json;
use tenure_core::{
    OrgId, Period, SiteId, UsageId,
    cycle::{self, UsageEvent, UsageFacts, UsageRefusal, UsageState},
    roles::{Action, OrgKind, Role},
};
use tenure_store::{
    Conn, Tx,
    rows::{
        monthly_usage::{self, UsageRow},
        site_part,
    },
};

use crate::{Actor, ActorKind, Error, ProblemKind, Result, Service, authorize::kind_of, change, month::Month};

/// Which monthly usage is meant: one's own by its month, or any that one may see by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthRef {
    /// The month of the actor's own organization.
    Own(Period),
    /// A monthly usage by id.
    Id(UsageId),
}

/// The text names no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month such as 2026-01 or an id such as mu_…")]
pub struct ParseMonthRefError;

impl FromStr for MonthRef {
    type Err = ParseMonthRefError;
    fn from_str(text: &str) -> std::result::Result<Self, ParseMonthRefError> {
        let period = text.parse().map(Self::Own).ok();
        period.or_else(|| text.parse().map(Self::Id).ok()).ok_or(ParseMonthRefError)
    }
}

/// The month and what its viewer's organization is. What is not the viewer's does not exist.
pub(crate) async fn find(conn: &mut Conn, actor: &Actor, which: MonthRef) -> Result<(UsageRow, OrgKind)> {
    let kind = kind_of(conn, actor).await?;
    let row = match which {
        MonthRef::Own(period) => monthly_usage::find(conn, actor.org, period).await?,
        MonthRef::Id(id) => monthly_usage::find_by_id(conn, id).await?,
    };
    let row = row.filter(|row| sees(actor, kind, row)).ok_or(ProblemKind::NotFound)?;
    // A viewer of one company has pages of its own; the provider's month is not among them.
    if actor.role == Role::CompanyViewer || !actor.role.may(Action::View, kind, false) {
        return Err(ProblemKind::Forbidden.into());
    }
    Ok((row, kind))
}

fn sees(actor: &Actor, kind: OrgKind, row: &UsageRow) -> bool {
    match kind {
        OrgKind::Vendor => true,
        OrgKind::Distributor => row.distributor == actor.org,
        OrgKind::Provider => row.provider == actor.org,
    }
}

/// The month, locked for a change that the actor's role allows.
pub(crate) async fn lock(tx: &mut Tx, actor: &Actor, which: MonthRef, action: Action) -> Result<(UsageRow, OrgKind)> {
    let (seen, kind) = find(tx, actor, which).await?;
    let has_sites = !site_part::of_month(tx, seen.provider, seen.period).await?.is_empty();
    if !actor.role.may(action, kind, has_sites) {
        return Err(ProblemKind::Forbidden.into());
    }
    let row = monthly_usage::lock(tx, seen.provider, seen.period).await?;
    Ok((row.ok_or(Error::Internal("a month that was found is gone"))?, kind))
}

/// The month, locked and open for changes of its lines. A change while reports are still collected starts the review.
/// Who is confined to a site changes its part until it is submitted.
pub(crate) async fn lock_to_edit(service: &Service, tx: &mut Tx, actor: &Actor, which: MonthRef) -> Result<UsageRow> {
    let (mut row, kind) = lock(tx, actor, which, Action::EditUsage).await?;
    if row.state == UsageState::Collecting {
        start_review(service, tx, actor, kind, &mut row).await?;
    }
    if !row.state.is_editable() {
        return Err(refused(UsageRefusal::WrongState(row.state)));
    }
    if let Some(site) = actor.site {
        let parts = site_part::of_month(tx, row.provider, row.period).await?;
        if parts.iter().any(|part| part.site == site && part.submitted.is_some()) {
            let words = "your site's part is submitted; ask for it to be returned";
            return Err(ProblemKind::MonthState.because(words).into());
        }
    }
    Ok(row)
}

/// Whether an actor may touch what belongs to a site of the provider, or to none.
pub(crate) fn reaches(actor: &Actor, site: Option<SiteId>) -> Result<()> {
    if actor.site.is_none() || actor.site == site { Ok(()) } else { Err(ProblemKind::NotFound.into()) }
}

/// Starts the review of a month whose reports are still collected.
pub(crate) async fn start_review(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    kind: OrgKind,
    row: &mut UsageRow,
) -> Result<()> {
    let has_sites = !site_part::of_month(tx, row.provider, row.period).await?.is_empty();
    let facts = UsageFacts { has_sites, ..UsageFacts::default() };
    row.state = step(actor, kind, row.state, UsageEvent::StartReview, &facts)?;
    monthly_usage::update(tx, row).await?;
    let body = json!({ "period": row.period, "state": row.state });
    change::by(tx, actor, row.provider, "usage.review_started", row.id.to_string(), service.now(), body);
    Ok(())
}

/// The state after an event, by the month's table, or the problem that says why not.
pub(crate) fn step(
    actor: &Actor,
    kind: OrgKind,
    state: UsageState,
    event: UsageEvent,
    facts: &UsageFacts,
) -> Result<UsageState> {
    let mover = match actor.kind {
        ActorKind::Job(_) => Some(cycle::Actor::Server),
        _ => cycle::Actor::of(actor.role, kind, actor.site.is_some()),
    };
    let mover = mover.ok_or(ProblemKind::Forbidden)?;
    cycle::step(state, event, mover, facts).map_err(refused)
}

/// A refusal of the month's table as a caller reads it.
pub(crate) fn refused(refusal: UsageRefusal) -> Error {
    let words = refusal.to_string();
    match refusal {
        UsageRefusal::WrongState(_) => ProblemKind::MonthState.because(words).into(),
        UsageRefusal::WrongActor => ProblemKind::Forbidden.into(),
        UsageRefusal::Blocked(blockers) => {
            let blockers = serde_json::to_value(blockers).unwrap_or_default();
            ProblemKind::MonthBlocked.because(words).with("blockers", blockers).into()
        }
        UsageRefusal::ReasonMissing => ProblemKind::InvalidInput.because(words).into(),
        UsageRefusal::OwnSubmission => ProblemKind::OwnSubmission.into(),
        UsageRefusal::SecondPersonMissing | UsageRefusal::TwoPeopleWanted => {
            ProblemKind::SecondPersonMissing.because(words).into()
        }
        UsageRefusal::VendorConsentMissing => ProblemKind::VendorConsentMissing.into(),
    }
}

/// Marks a month as changed by a person, records it and tells the provider.
pub(crate) async fn changed(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    row: &mut UsageRow,
    verb: &'static str,
    body: serde_json::Value,
) -> Result<()> {
    row.changed = service.now();
    monthly_usage::update(tx, row).await?;
    change::by(tx, actor, row.provider, verb, row.id.to_string(), row.changed, body);
    Ok(())
}

/// The month as its viewer may see it: who is confined to a site sees that site's part.
pub(crate) fn confined(mut month: Month, actor: &Actor, provider: OrgId) -> Month {
    let Some(site) = actor.site.filter(|_| actor.org == provider) else { return month };
    let of_site = Some(site);
    month.lines.retain(|line| line.site == of_site);
    month.installations.retain(|one| one.license.site == of_site);
    month.licenses.retain(|one| one.license.site == of_site);
    month.by_hand.retain(|license| license.site == of_site);
    month.parts.retain(|part| part.site.id == site);
    let reported = month.lines.iter().map(|line| line.points).sum();
    month.totals = tenure_core::totals::Totals { reported, total: reported, ..Default::default() };
    month.previous = None;
    month
}
