//! Months whose first submission was not in by the deadline.

use tenure_core::{OrgId, Period, Timestamp, UsageId, roles::Action, roles::OrgKind};
use tenure_store::rows::monthly_usage;

use crate::{
    Actor, MonthSummary, Page, Paging, ProblemKind, Result, Service,
    authorize::at_home,
    month_access::{MonthRef, find},
    month_view::summaries,
    page,
};

/// A missed deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedDeadline {
    /// The month.
    pub month: MonthSummary,
    /// When it was submitted first; none while it is not.
    pub submitted: Option<Timestamp>,
    /// Whole days after the deadline, begun ones counted: until it was submitted, or until now.
    pub days_late: u32,
}

/// The missed deadlines of a distributor's providers, or of all for the vendor, newest month first.
pub async fn list_missed_deadlines(service: &Service, actor: &Actor, paging: &Paging) -> Result<Page<MissedDeadline>> {
    let limit = paging.limit()?;
    let mut read = service.store().read().await?;
    let distributor = match at_home(&mut read, actor, Action::View).await? {
        OrgKind::Distributor => Some(actor.org),
        OrgKind::Vendor => None,
        OrgKind::Provider => return Err(ProblemKind::Forbidden.into()),
    };
    let now = service.now();
    let before = match paging.after(service, actor.org, "missed-deadlines")? {
        None => (Period::of(now), OrgId::from_uuid(uuid::Uuid::nil())),
        Some(id) => {
            let (row, _) = find(&mut read, actor, MonthRef::Id(UsageId::from_uuid(id))).await?;
            (row.period, row.provider)
        }
    };
    let rows = monthly_usage::missed(&mut read, distributor, before, now, i64::from(limit) + 1).await?;
    let rows = page::cut(service, actor.org, "missed-deadlines", rows, limit, |(row, _)| row.id.uuid());
    let firsts: Vec<Option<Timestamp>> = rows.items.iter().map(|(_, first)| *first).collect();
    let months = rows.items.into_iter().map(|(row, _)| row).collect();
    let months = summaries(service, &mut read, months).await?;
    let items = months.into_iter().zip(firsts).map(|(month, submitted)| {
        let days_late = tenure_core::deadline::days_late(month.due, submitted.unwrap_or(now));
        MissedDeadline { month, submitted, days_late }
    });
    Ok(Page { items: items.collect(), next: rows.next })
}
