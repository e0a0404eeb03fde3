//! Looking at months: one with its lines, a list, and the receipt of a submission.

use std::collections::BTreeMap;

use tenure_core::{
    OrgId, Period, Points, Timestamp, UsageId,
    cycle::{UsageState, takes_two},
    deadline::distributor_deadline,
    roles::{Action, OrgKind},
};
use tenure_license::{Envelope, Payload, payload::Receipt};
use tenure_store::{
    Conn,
    rows::{
        approval_limit,
        monthly_usage::{self, UsageRow},
        org,
        submission::{self, SubmissionHead},
    },
};

use crate::{
    Actor, Error, Page, Paging, ProblemKind, Result, Service,
    authorize::at_home,
    month::{LinesTag, Month, Named},
    month_access::{MonthRef, confined, find},
    page,
};

/// A month in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthSummary {
    /// Its id.
    pub id: UsageId,
    /// Whose.
    pub provider: Named<OrgId>,
    /// Which month.
    pub period: Period,
    /// Where it stands.
    pub state: UsageState,
    /// Who decides.
    pub distributor: Named<OrgId>,
    /// When it was opened.
    pub opened: Timestamp,
    /// The end of the day by which the provider submits.
    pub due: Timestamp,
    /// It is past that and not submitted.
    pub late: bool,
    /// By when the distributor decides, while it is submitted.
    pub decide_by: Option<Timestamp>,
    /// The newest submission.
    pub submitted: Option<SubmissionSummary>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// Why it was rejected, or closed by the vendor; empty otherwise.
    pub reason: String,
}

/// A submission in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionSummary {
    /// Which, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Reported points.
    pub reported: Points,
    /// Total points.
    pub total: Points,
    /// Licenses with a flag.
    pub flagged: u32,
    /// Figures were lowered so far that the vendor has to consent too.
    pub lowered: bool,
    /// It has to, and it has not.
    pub needs_consent: bool,
    /// The distributor has so many points approved by two people.
    pub takes_two: bool,
    /// When and by whom it was approved first, while it waits for the second.
    pub approved_first: Option<(Timestamp, uuid::Uuid)>,
    /// Names the lines that were submitted.
    pub tag: LinesTag,
}

/// A signed receipt of a submission.
#[derive(Debug, Clone)]
pub struct SubmissionReceipt {
    /// What it says.
    pub receipt: Receipt,
    /// The receipt as signed, verifiable with the trust root.
    pub envelope: Envelope,
}

/// A month with its lines. Who is confined to a site sees that site's part.
pub async fn view_month(service: &Service, actor: &Actor, which: MonthRef) -> Result<Month> {
    let mut read = service.store().read().await?;
    let (row, _) = find(&mut read, actor, which).await?;
    let provider = row.provider;
    let month = Month::load(service, &mut read, row, service.now()).await?;
    Ok(confined(month, actor, provider))
}

/// Months, newest first: a provider's own, a distributor's, or all for the vendor.
pub async fn list_months(service: &Service, actor: &Actor, paging: &Paging) -> Result<Page<MonthSummary>> {
    let limit = paging.limit()?;
    let mut read = service.store().read().await?;
    let kind = at_home(&mut read, actor, Action::View).await?;
    let before = match paging.after(service, actor.org, "months")? {
        None => (Period::of(service.now()), OrgId::from_uuid(uuid::Uuid::nil())),
        Some(id) => {
            let (row, _) = find(&mut read, actor, MonthRef::Id(UsageId::from_uuid(id))).await?;
            (row.period, row.provider)
        }
    };
    let wanted = i64::from(limit) + 1;
    let rows = match kind {
        OrgKind::Provider => monthly_usage::of_provider(&mut read, actor.org, before.0, wanted).await?,
        OrgKind::Distributor => monthly_usage::of_distributor(&mut read, actor.org, before, wanted).await?,
        OrgKind::Vendor => monthly_usage::of_all(&mut read, before, wanted).await?,
    };
    let rows = page::cut(service, actor.org, "months", rows, limit, |row| row.id.uuid());
    let items = summaries(service, &mut read, rows.items).await?;
    Ok(Page { items, next: rows.next })
}

/// Rows as a list shows them.
pub(crate) async fn summaries(service: &Service, conn: &mut Conn, rows: Vec<UsageRow>) -> Result<Vec<MonthSummary>> {
    let mut names: BTreeMap<OrgId, String> = BTreeMap::new();
    let mut limits: BTreeMap<OrgId, Option<Points>> = BTreeMap::new();
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        for id in [row.provider, row.distributor] {
            if let std::collections::btree_map::Entry::Vacant(place) = names.entry(id) {
                place.insert(org::find(conn, id).await?.map(|org| org.name).unwrap_or_default());
            }
        }
        if let std::collections::btree_map::Entry::Vacant(place) = limits.entry(row.distributor) {
            place.insert(approval_limit::find(conn, row.distributor).await?.map(|limit| limit.above));
        }
        let head = submission::head(conn, row.provider, row.period).await?;
        let limit = limits.get(&row.distributor).copied().flatten();
        items.push(summary(service, &names, limit, row, head));
    }
    Ok(items)
}

fn summary(
    service: &Service,
    names: &BTreeMap<OrgId, String>,
    two_people_above: Option<Points>,
    row: UsageRow,
    head: Option<SubmissionHead>,
) -> MonthSummary {
    let named = |id: OrgId| Named { id, name: names.get(&id).cloned().unwrap_or_default() };
    let waiting = row.state == UsageState::PendingDistributorReview;
    let decide_by = row.submitted.filter(|_| waiting);
    MonthSummary {
        id: row.id,
        provider: named(row.provider),
        period: row.period,
        state: row.state,
        distributor: named(row.distributor),
        opened: row.opened,
        due: row.due,
        late: !row.state.is_submitted() && service.now() >= row.due,
        decide_by: decide_by.map(|at| distributor_deadline(row.period, at, service.policy_of(row.period))),
        submitted: head.map(|head| SubmissionSummary {
            number: head.number,
            at: head.at,
            reported: head.reported,
            total: head.total,
            flagged: head.flagged,
            lowered: head.lowered,
            needs_consent: head.lowered && waiting && row.vendor.is_none(),
            takes_two: takes_two(head.total.max(head.reported), two_people_above),
            approved_first: row.approved.zip(row.approved_by).filter(|_| waiting),
            tag: LinesTag { hash: head.lines_hash, seen: head.at },
        }),
        closed: row.closed,
        reason: row.reason,
    }
}

/// The receipt of a submission, the newest one unless `number` names another: its committed bytes, signed now (E11).
pub async fn view_receipt(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    number: Option<u32>,
) -> Result<SubmissionReceipt> {
    let mut read = service.store().read().await?;
    let (row, _) = find(&mut read, actor, which).await?;
    let found = match number {
        Some(number) => submission::find(&mut read, row.provider, row.period, number).await?,
        None => submission::last(&mut read, row.provider, row.period).await?,
    };
    let found = found.ok_or_else(|| ProblemKind::NotFound.because("the month was not submitted"))?;
    let receipt =
        serde_json::from_slice(&found.receipt).map_err(|_| Error::Internal("a stored receipt cannot be read"))?;
    Ok(SubmissionReceipt { receipt, envelope: service.keys().sign_receipt(Receipt::TYPE, found.receipt) })
}
