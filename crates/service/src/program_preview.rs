//! What a change of the program would do to the months that are open: figures, deadlines and flags, before and after.
//!
//! A preview is pure: it reads, computes each month twice, and writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{
    OrgId, Period, Points, Policy, ProductId, Timestamp, UsageId,
    cycle::UsageState,
    deadline::{auto_send_over_at, provider_deadline},
    reporting::AutomaticReporting,
};
use tenure_store::{
    Conn,
    rows::{
        monthly_usage::{self, UsageRow},
        product::{self, Weights},
    },
};

use crate::{
    Actor, Error, NewWeight, Page, Paging, PolicyChange, ProblemKind, Result, Service, catalog_change,
    month::{Month, Named},
    page, policy_change,
};

/// Most months of one page: each is computed twice.
pub const MAX_PREVIEW: u32 = 50;

/// Most weights of one preview.
const MAX_WEIGHTS: usize = 200;

/// A change to think through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramChange {
    /// Other numbers.
    pub policy: Option<PolicyChange>,
    /// Other weights, by product.
    pub weights: Vec<(ProductId, NewWeight)>,
}

/// An open month before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedMonth {
    /// Its id.
    pub id: UsageId,
    /// Whose.
    pub provider: Named<OrgId>,
    /// Which month.
    pub period: Period,
    /// Where it stands. What is submitted stands by its signed figures, whatever a weight becomes.
    pub state: UsageState,
    /// As it is.
    pub before: Outlook,
    /// As it would be, had the change been in force.
    pub after: Outlook,
}

/// What a month comes to and what hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Reported points.
    pub reported: Points,
    /// Points up to the commitment.
    pub enforcement: Points,
    /// Points above the limit.
    pub overage: Points,
    /// Total points.
    pub total: Points,
    /// Until when reports are awaited.
    pub awaited_until: Timestamp,
    /// The end of the day by which the provider submits.
    pub due: Timestamp,
    /// By when the distributor decides, once it is submitted.
    pub decide_by: Option<Timestamp>,
    /// Licenses with a flag.
    pub flagged: u32,
    /// Figures were lowered so far that the vendor has to consent too.
    pub needs_consent: bool,
}

impl Outlook {
    fn of(month: &Month, due: Timestamp, policy: &Policy) -> Self {
        Self {
            reported: month.totals.reported,
            enforcement: month.totals.enforcement,
            overage: month.totals.overage,
            total: month.totals.total,
            awaited_until: auto_send_over_at(month.head.period, policy),
            due,
            decide_by: month.head.decide_by,
            flagged: month.flagged(),
            needs_consent: month.lowered,
        }
    }
}

/// What a change would do to the months that are not closed, by provider and month; for who may make such a change.
pub async fn preview_program(
    service: &Service,
    actor: &Actor,
    input: ProgramChange,
    paging: &Paging,
) -> Result<Page<PreviewedMonth>> {
    let limit = paging.limit.unwrap_or(20);
    if !(1..=MAX_PREVIEW).contains(&limit) {
        return Err(ProblemKind::InvalidInput.because(format!("limit must be from 1 to {MAX_PREVIEW}")).into());
    }
    let mut read = service.store().read().await?;
    policy_change::may_preview(&mut read, actor).await?;
    let query = format!("preview {input:?}");
    let after = match paging.after(service, actor.org, &query)? {
        None => (OrgId::from_uuid(uuid::Uuid::nil()), Period::of(Timestamp::EPOCH)),
        Some(id) => {
            let row = monthly_usage::find_by_id(&mut read, UsageId::from_uuid(id)).await?;
            row.map(|row| (row.provider, row.period)).ok_or(ProblemKind::NotFound)?
        }
    };
    let policy = after_change(service, &mut read, input.policy.as_ref()).await?;
    let weights = weights(&mut read, &input.weights).await?;
    let rows = monthly_usage::open_of_all(&mut read, after, limit + 1).await?;
    let rows = page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid());
    let mut items = Vec::with_capacity(rows.items.len());
    for row in rows.items {
        items.push(both(service, &mut read, row, &policy, &weights).await?);
    }
    Ok(Page { items, next: rows.next })
}

async fn after_change(service: &Service, conn: &mut Conn, change: Option<&PolicyChange>) -> Result<Policy> {
    let Some(change) = change else { return Ok(service.policy().clone()) };
    let now = Period::of(service.now());
    let versions = policy_change::versions(conn, now).await?;
    let (from, made) = policy_change::planned(&versions, change, now)?;
    let found = made.into_iter().find(|(begins, _)| *begins == from);
    found.map(|(_, policy)| policy).ok_or(Error::Internal("a planned version is not there"))
}

async fn weights(conn: &mut Conn, wanted: &[(ProductId, NewWeight)]) -> Result<BTreeMap<ProductId, Weights>> {
    let named: BTreeSet<_> = wanted.iter().map(|(product, new)| (product, &new.workload, &new.variant)).collect();
    if wanted.len() > MAX_WEIGHTS || named.len() != wanted.len() {
        let words = format!("name each workload type once, and at most {MAX_WEIGHTS}");
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    let mut all = BTreeMap::<ProductId, Weights>::new();
    for (product, new) in wanted {
        if !all.contains_key(product) && product::find(conn, *product).await?.is_none() {
            return Err(ProblemKind::NotFound.because("there is no such product").into());
        }
        catalog_change::known(&product::workloads(conn, *product).await?, std::slice::from_ref(new))?;
        all.entry(*product).or_default().insert((new.workload.clone(), new.variant.clone()), new.weight);
    }
    Ok(all)
}

async fn both(
    service: &Service,
    conn: &mut Conn,
    row: UsageRow,
    policy: &Policy,
    weights: &BTreeMap<ProductId, Weights>,
) -> Result<PreviewedMonth> {
    let (id, provider, period, state, due) = (row.id, row.provider, row.period, row.state, row.due);
    let reporting = monthly_usage::reporting(conn, provider, period).await?;
    let by_hand = reporting.into_iter().any(AutomaticReporting::is_by_hand);
    let now = service.now();
    let (before, after) = Month::compare(conn, row, now, (service.policy_of(period), policy), weights).await?;
    Ok(PreviewedMonth {
        id,
        provider: before.head.provider.clone(),
        period,
        state,
        before: Outlook::of(&before, due, service.policy_of(period)),
        after: Outlook::of(&after, provider_deadline(period, by_hand, policy), policy),
    })
}
